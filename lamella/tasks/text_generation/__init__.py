"""Continue a text: verse, code, names, recipes, whatever the model was trained on.

The net is a language model: it reads a text token by token (characters, or pieces of words) and gives the probability of
every token of its vocabulary to come next. Training shows it windows of the text and asks for every next token at once
(Bengio et al., 2003). `--net` says how it remembers: in a state of fixed size that is changed at every unit (rnn: an
LSTM, Hochreiter and Schmidhuber, 1997, or a GRU, Cho et al., 2014), or by looking back at everything that stands in the
window (transformer: the decoder of Vaswani et al., 2017, as in GPT-2, Radford et al., 2019).

Generation repeats one step: sample a token from the probabilities and append it. `--temperature`, `--top-k` and
`--top-p` (Holtzman et al., 2020) control the sampling. The answer also holds the log-probability of the given text in
nats and its perplexity: the number of equally likely tokens among which a choice would be as uncertain. `--length 0`
asks for these alone.

An example is a passage of many windows. In training the net takes a window from a random place of it each time: fixed
windows would be memorised, and overlapping ones would leak between training and test sets. In evaluation a passage is
read in consecutive windows of the training length, each without context.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella import decode, metrics
from lamella.data.readers import windows
from lamella.data.text.pieces import START
from lamella.errors import UsageError
from lamella.fields import Text
from lamella.task import Answer, Arrays, Choice, Example, Focus, GraphLike, Output, Scores, Task, Training, as_learned
from lamella.tasks.text_generation.vocabulary import FIRST, Characters, Words, by_frequency

if TYPE_CHECKING:
    from torch import Tensor, nn

NETS = ("rnn", "transformer")
CHARACTERS_A_PIECE = 4
PREDICT = {"when": "predict"}


class Config(msgspec.Struct, kw_only=True):
    net: Annotated[Literal["rnn", "transformer"], Meta(description="Family of the net.")] = "transformer"
    cell: Annotated[Literal["lstm", "gru"], Meta(description="What the layers of an rnn are made of.")] = "lstm"
    unit: Annotated[
        Literal["characters", "pieces"], Meta(description="What a token is: a character, or a piece of a word.")
    ] = "characters"
    vocabulary_size: Annotated[int, Meta(description="Vocabulary size, at most.", ge=50, extra={"was": "pieces"})] = (
        4000
    )
    window: Annotated[int, Meta(description="Context length of the net, in characters or pieces.", ge=8, le=4096)] = 128
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.0
    length: Annotated[
        int, Meta(description="Characters or pieces to write; 0: measure only.", ge=0, le=100_000, extra=PREDICT)
    ] = 200
    temperature: Annotated[
        float, Meta(description="Temperature of sampling; 0: always the most likely.", ge=0, le=10, extra=PREDICT)
    ] = 0.8
    top_k: Annotated[int, Meta(description="Sample from the k most likely; 0: no limit.", ge=0, extra=PREDICT)] = 0
    top_p: Annotated[
        float,
        Meta(description="Sample from the fewest that have this probability together.", gt=0, le=1, extra=PREDICT),
    ] = 1.0
    seed: Annotated[int, Meta(description="Seed of sampling: the same seed, the same text.", ge=0, extra=PREDICT)] = 0
    stop: Annotated[str, Meta(description="Stop before this text; \\n is a line break.", extra=PREDICT)] = ""


def _grow(task: "TextGeneration", graphs: Mapping[str, GraphLike], inputs: Arrays) -> Iterator[Callable[[], Answer]]:
    """The answers so far while a text is generated; the log-probability of the prompt is known from the start."""
    row = inputs["text"][0][inputs["text"][0] != 0].tolist()
    [total] = decode.log_probabilities(decode.scorer(graphs), [row], START, task.config.window)
    yield lambda: _answer("", total, len(row))
    for [written] in decode.sampling(*task._drawing(graphs, [row])):
        yield partial(task._so_far, row, written, total)


class TextGeneration(Task):
    fields = {"text": Text("The beginning, which the model continues.")}
    answer = Text("What comes next, and how likely the beginning was.")
    target = "text"
    metric = "loss"
    output = Output(grow=_grow)

    characters_: Sequence[str] = ()  # either this or a vocabulary, depending on `unit`
    vocabulary_: bytes = b""
    length_: float  # mean length of a passage in tokens

    @as_learned(Training(nets=NETS))
    def training(self) -> Training:
        """The batch size in passages, a window of each. Windows have one length, so twice the usual learning rate is stable
        (docs/LOG.md). The best weights are kept, since a small text is memorised sooner or later."""
        passages = max(1, int(self.size.tokens / min(self.config.window, getattr(self, "length_", self.config.window))))
        return Training(
            nets=NETS,
            batch=passages,
            rate=2.0,
            keep_best=True,
            generative=True,
            less_is_better=True,
            measured={"length": 0},
            terms="wanted",
            parts=lambda paths, columns: windows.cut(paths),
        )

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers import passages

        words = self.config.unit == "pieces"
        window = self.config.window * (CHARACTERS_A_PIECE if words else 1)
        texts, lines = passages.read_passages(list(paths), window, words, columns)
        return [{"text": text} for text in texts], lines

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import text_generation as samples

        return [{"text": text} for text in samples.tales(split)]

    def fit(self, examples: Sequence[Example]) -> None:
        texts = [e["text"] for e in examples]
        if self.config.unit == "pieces":
            self.vocabulary_ = Words.learn(texts, self.config.vocabulary_size)
        else:
            self.characters_ = Characters.learn(texts, self.config.vocabulary_size)
        vars(self).pop("units", None)  # cache of an earlier fit
        self.length_ = float(np.mean([len(self.units.encode(text)) for text in texts]))

    @cached_property
    def units(self) -> Characters | Words:
        return Words(self.vocabulary_) if self.config.unit == "pieces" else Characters(self.characters_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        return {"text": np.array(self.units.encode(example["text"]), np.int32)}

    def targets(self, example: Example) -> Arrays:
        return {}  # every token of the text is the target of those before it

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        c, size = self.config, self.size
        if c.net == "rnn":
            from lamella.nets.rnn.language import LanguageRNN

            # One wide layer remembers more than two narrow ones, and runs through time only once.
            return LanguageRNN(len(self.units), 2 * size.width, max(1, size.depth // 2), c.cell, c.window, c.dropout)
        from lamella.nets.transformer.language import CausalTransformer

        return CausalTransformer(len(self.units), size.width, size.depth, size.heads, c.window, c.dropout)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.losses import tied_cross_entropy

        return tied_cross_entropy(outputs["hidden"], outputs["table"], outputs["wanted"])

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        rows = [row[row != 0].tolist() for row in inputs["text"]]
        written = decode.sample(*self._drawing(graphs, rows))
        totals = decode.log_probabilities(decode.scorer(graphs), rows, START, self.config.window)
        return [_answer(*three) for three in zip(map(self._text, rows, written), totals, map(len, rows), strict=True)]

    def _so_far(self, row: list[int], written: list[int], total: float) -> Answer:
        return _answer(self._text(row, written[len(row) :]), total, len(row))

    def _drawing(self, graphs: Mapping[str, GraphLike], rows: list[list[int]]) -> tuple[Any, ...]:
        """The arguments of `decode.sample` that continue these rows."""
        c, stop = self.config, self._stop
        pick = partial(decode.narrowed, temperature=c.temperature, top_k=c.top_k, top_p=c.top_p, first=FIRST)

        def done(tokens: list[int]) -> bool:
            return stop in self.units.decode([], tokens[-len(stop) - 1 :])

        window = c.window if c.net == "transformer" else None  # an RNN has no window
        how = pick, done if stop else None, c.seed, window
        return (*decode.stepping(graphs["step"]), rows, START, c.length, *how)

    @property
    def _stop(self) -> str:
        return str(self.config.stop).replace("\\n", "\n").replace("\\t", "\t")

    def _text(self, row: Sequence[int], written: Sequence[int]) -> str:
        text = self.units.decode(row, written)
        return text.partition(self._stop)[0] if self._stop else text

    def excerpt(self, example: Example) -> tuple[Example, str]:
        """The end of a long text that a Transformer reads before it generates, half a window; an RNN reads all of it."""
        ids, half, unit = self.units.encode(example["text"]), self.config.window // 2, self.config.unit
        if self.config.net == "rnn" or len(ids) < self.config.window:
            return example, ""
        text = example["text"][-half:] if unit == "characters" else self.units.decode([], ids[-half:])
        note = f"The last {half} {unit} are explained: the net sees no more when it begins to write."
        return {**example, "text": text}, note

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """The log-probability of the generated text, word by word, for at most half a window of it."""
        written = self.units.encode(answer["text"])[: self.config.window // 2]
        if not written:
            raise UsageError("nothing was written that could be explained. Give a --length above 0.")
        seen = 0 if self.config.net == "rnn" else len(written) - self.config.window
        before = [row[row != 0][seen:].tolist() for row in inputs["text"]]
        tokens = self.collate([{"": np.array([START, *row, *written])} for row in before])[""]
        each = decode.scorer(graphs)(tokens[:, :-1], tokens[:, 1:])  # (B, T)
        own = np.stack([line[len(row) :][: len(written)] for line, row in zip(each, before, strict=True)])
        words, starts = self.units.words(written)
        return Focus("log-probability of what follows", np.add.reduceat(own.astype(float), starts, axis=1), words)

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The baseline: the log-probability of texts under token frequencies alone (a unigram model)."""
        known, rows = ([self.units.encode(e["text"]) for e in examples_of] for examples_of in (learn, examples))
        return [_answer("", total, len(row)) for row, total in zip(rows, by_frequency(known, rows), strict=True)]

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        texts = [e["text"] for e in examples]
        note = {"loss": f"nats, {self.config.unit} in windows of {self.config.window}, each with nothing before it"}
        units = [len(self.units.encode(text)) for text in texts]
        return metrics.likelihood([a["log_probability"] for a in answers], units, [len(text) for text in texts], note)

    def render(self, answer: Answer) -> str:
        if self.config.length or answer["perplexity"] is None:
            return str(answer["text"])
        return f"log-probability {answer['log_probability']:.2f}, perplexity {answer['perplexity']:.4g}"


def _answer(text: str, log_probability: float, units: int) -> Answer:
    perplexity = round(math.exp(min(700.0, -log_probability / units)), 3) if units else None
    return {"text": text, "log_probability": round(log_probability, 2), "perplexity": perplexity}
