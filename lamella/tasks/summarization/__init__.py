"""Summarize a text in a sentence or a few, or pick the sentences that say most.

The net is the encoder-decoder Transformer of translation with a copy head: each token of the summary is chosen from the
vocabulary or copied from the text (a pointer-generator; See et al., 2017), so that names and numbers come from the text.
In training most summaries begin with a mark that says about how long they are (Fan et al., 2018); `--words` chooses that
mark afterwards. The search gives several candidates without repeated trigrams, and the best is taken whose numbers and
names all stand in the text (`faithful.py`); where there is none, the sentence of the text that says most.

What is longer than the net's window is cut by a learned scorer of sentences (`sentences.py`). Its picks are also a summary
by themselves: `--ask sentences`.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella import decode, metrics
from lamella.data.text.pieces import END, START, Pieces, learn, normalise
from lamella.errors import UsageError
from lamella.fields import Matches, Text
from lamella.task import (
    Answer,
    Array,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Question,
    Run,
    Scores,
    Task,
    Training,
)
from lamella.tasks.summarization import documents, faithful, style
from lamella.tasks.summarization import sentences as extractive
from lamella.tasks.summarization.beginning import LONGEST, MARKS, NEAR, FromText

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

UNMARKED = 0.5  # share of the summaries in training that begin without a mark
SMOOTHING = 0.1  # of the labels
POWER = 1.0  # a candidate is as good as its tokens are on average
NO_REPEAT = 3  # tokens: no trigram twice
LOST = "\N{DOUBLE QUESTION MARK}"  # what stands for a token without letters
SHOWN = 60  # most sentences of an explanation
PREDICT = {"when": "predict"}
WRITTEN = {**PREDICT, "asks": ("summary",)}


class Config(msgspec.Struct, kw_only=True):
    vocabulary_size: Annotated[int, Meta(description="Vocabulary size, shared by texts and summaries.", ge=50)] = 8000
    decoder_depth: Annotated[int, Meta(description="Layers of the decoder; the encoder's are set by --size.", ge=1)] = 2
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.1
    max_length: Annotated[
        int,
        Meta(description="Tokens of a text that the net reads; of a longer one the best sentences.", ge=32, le=4096),
    ] = 512
    beams: Annotated[int, Meta(description="Beam size of the search; 1 is fastest.", ge=1, le=8, extra=WRITTEN)] = 4
    words: Annotated[
        int, Meta(description="Words of a summary, about; 0: as many as it finds right.", ge=0, le=500, extra=WRITTEN)
    ] = 0
    sentences: Annotated[
        int,
        Meta(
            description="Sentences that are picked with --ask sentences; 0: as in training.",
            ge=0,
            le=100,
            extra={**PREDICT, "asks": ("sentences",)},
        ),
    ] = 0
    style: Annotated[
        Literal["auto", "words", "sentences"],
        Meta(
            description="Words of its own, or sentences of the text; auto: what was better after training.",
            extra=WRITTEN,
        ),
    ] = "auto"
    faithful: Annotated[
        bool, Meta(description="Take no summary with a number or name that the text has not.", extra=WRITTEN)
    ] = True


TEXT = {"text": Text("What to summarize.", written=True)}
SUMMARY = Text("The summary.")


class Summarization(Task):
    fields = TEXT
    answer = SUMMARY
    questions = {
        "summary": Question(TEXT, SUMMARY, "The text in a few words of its own."),
        "sentences": Question(
            TEXT, Matches("The sentences that say most, in the order of the text."), "The sentences that say most."
        ),
    }
    target = "summary"
    metric = "rougeL"
    output = documents.OUTPUT
    transfer = FromText()
    training = Training(nets=("transformer",), quick={"beams": 1}, terms="target", findings=style.findings)

    vocabulary_: bytes
    scorer_: list[float] = []  # weights of the scorer of sentences
    lengths_: list[int] = []  # words of a summary: the most that each mark but the last stands for
    heads_: int = 0  # of attention, where it began from a net with others than those of its size; 0: those of its size
    longest_: int = LONGEST  # tokens that a summary may have
    sentences_: int = 1  # that a summary usually has
    shares_: Sequence[
        float
    ] = ()  # of summaries kept aside, how much is in what the net writes and in the picked sentences

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.summaries import read_summaries

        examples, lines = read_summaries(paths, columns, documents.read)
        long = sum(len(e["text"]) > 5 * self.config.max_length for e in examples)
        if long:
            lines.append(
                f"note: {long:,} texts may be longer than the {self.config.max_length} tokens that the net reads (--max-length); "
                "of these it reads the sentences that say most"
            )
        return examples, lines

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import summarization as samples

        return [{"text": text, "summary": line} for text, line in samples.notices(split)]

    def keys(self, example: Example) -> list[str]:
        return ["".join(filter(str.isalnum, example["text"].lower())) or example["text"]]

    def fit(self, examples: Sequence[Example]) -> None:
        vars(self).pop("pieces", None)  # what an earlier fit knew
        self.vocabulary_ = learn(
            [normalise(e[side]) for e in examples for side in ("text", "summary")], self.config.vocabulary_size
        )
        self.learn_sizes(examples)

    def learn_sizes(self, examples: Sequence[Example]) -> None:
        """All that is learned besides the vocabulary: which sentences count, and how long summaries are."""
        summaries = [e["summary"] for e in examples]
        self.scorer_ = extractive.learn([(e["text"], e["summary"]) for e in examples])
        words = np.array([len(text.split()) for text in summaries])
        self.lengths_ = [int(x) for x in np.unique(np.quantile(words, np.arange(1, MARKS) / MARKS).round())][
            : MARKS - 1
        ]
        pieces = [len(ids) for ids in self.pieces.encode([normalise(text) for text in summaries])]
        self.longest_ = min(LONGEST, int(1.5 * max(pieces)) + 2)
        self.sentences_ = max(1, int(np.median([len(extractive.cut(text)) for text in summaries])))

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.vocabulary_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        return {
            "source": np.array([*self._ids(self._cut(example["text"])[0])[: self.config.max_length - 1], END], np.int32)
        }

    def prompt(self, example: Example) -> Arrays:
        mark = self._mark(len(example["summary"].split()))
        return {"prompt": np.array([mark, *self._ids(example["summary"])[: LONGEST - 2]], np.int32)}

    def targets(self, example: Example) -> Arrays:
        return {"target": np.array([*self._ids(example["summary"])[: LONGEST - 2], END], np.int32)}

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        """Some summaries begin without a mark, so that the net learns to choose a length by itself too."""
        import torch

        prompt = batch["prompt"].clone()
        unmarked = torch.rand(len(prompt), generator=rng) < UNMARKED
        prompt[unmarked.to(prompt.device), 0] = START
        return {**batch, "prompt": prompt}

    def _ids(self, text: str) -> list[int]:
        return self.pieces.encode([normalise(text)])[0]

    def _mark(self, words: int) -> int:
        """The id of the mark for a summary of so many words."""
        return len(self.pieces) + int(np.searchsorted(self.lengths_, words))

    def _cut(self, text: str) -> tuple[str, int, int]:
        """What the net reads of a text, its sentences counted: (text, how many there are, how many of them are in it)."""
        room = self.config.max_length - 1
        if len(text) <= room or len(self._ids(text)) <= room:  # a token has a letter at least
            return text, 0, 0
        parts = extractive.cut(text)
        costs = [max(1, len(ids)) for ids in self.pieces.encode([normalise(part.text) for part in parts])]
        chosen = extractive.fitting(costs, extractive.scores(parts, self.scorer_), room)
        return " ".join(parts[at].text for at in chosen), len(parts), len(chosen)

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        from lamella.nets.transformer.encoder_decoder import EncoderDecoder
        from lamella.nets.transformer.pointer import PointerTransformer

        c, size = self.config, self.size
        return PointerTransformer(
            EncoderDecoder(
                len(self.pieces) + MARKS, size.width, size.depth, c.decoder_depth, self.heads_ or size.heads, dropout=c.dropout,
                longest=max(c.max_length, LONGEST),
            ),
            NEAR,
        )  # fmt: skip

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.transformer.pointer import pointer_loss

        return pointer_loss(**outputs, target=targets["target"], smoothing=SMOOTHING)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        """A batch of texts -> for each its candidates (summary, score), best first."""
        source = inputs["source"]
        limits = np.minimum((source != 0).sum(axis=1) + 4, self._most())

        def step(token: Array, state: Arrays, memory: Arrays) -> Arrays:
            return graphs["step"](token=token, **state, **memory)

        state = graphs["step"].empty(batch=len(source), beam=1)
        searched = decode.beam(
            step, state, self._memory(graphs, source), self._start, END, limits, self.config.beams, POWER, NO_REPEAT
        )
        return [[(self._text(h.tokens), round(h.mean(POWER), 5)) for h in best] for best in searched]

    def _memory(self, graphs: Mapping[str, GraphLike], source: Array) -> Arrays:
        return {"source": source, **graphs["encode"](source=source)}

    @property
    def _start(self) -> int:
        return self._mark(self.config.words) if self.config.words else START

    def _most(self) -> int:
        """How many tokens a summary may have."""
        return int(min(LONGEST - 2, max(self.longest_, 4 * self.config.words)))

    def _text(self, tokens: Sequence[int]) -> str:
        return self.pieces.decode([[i for i in tokens if i < len(self.pieces)]])[0]

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        if self.state.asked == "sentences":
            return [self._picked(e["text"], self.config.sentences or self.sentences_) for e in examples]
        if style.picks(self):
            return [" ".join(one["text"] for one in self._picked(e["text"], self.sentences_)) for e in examples]
        full = [e for e in examples if any(map(str.isalnum, e["text"]))]  # of nothing there is no summary
        candidates = iter(run(full))
        found = [(e["text"], next(candidates) if any(map(str.isalnum, e["text"])) else []) for e in examples]
        return [self._chosen(text, best) for text, best in found]

    def _chosen(self, text: str, candidates: Sequence[tuple[str, float]]) -> str:
        """The best candidate that keeps to the text; else the sentence that says most."""
        if not candidates:
            return ""
        # A letter that the vocabulary has not is written as a mark, which says nothing.
        candidates = [one for one in candidates if LOST not in one[0]]
        agreed = faithful.agreed([(one[0], one[1]) for one in candidates])
        best = faithful.choose(agreed, text, self.config.words, self.config.faithful)
        return best or " ".join(found["text"] for found in self._picked(text, 1))

    def _picked(self, text: str, count: int) -> list[dict[str, Any]]:
        parts = extractive.cut(text)
        if not parts:
            return []
        values = extractive.scores(parts, self.scorer_)
        return [
            {"sentence": parts[at].number, "text": parts[at].text, "grade": round(float(values[at]), 4)}
            for at in extractive.pick(parts, values, count)
        ]

    def render(self, answer: Answer) -> str:
        return answer if isinstance(answer, str) else " ".join(found["text"] for found in answer)

    # ---- explanations ------------------------------------------------------------------------------------------

    def excerpt(self, example: Example) -> tuple[Example, str]:
        text, sentences, read = self._cut(example["text"])
        if not sentences or self.state.asked == "sentences":
            return example, ""
        return {
            **example,
            "text": text,
        }, f"Of {sentences} sentences the net reads {read}, those that say most; these are explained."

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """The log-probability of the summary, word by word; of picked sentences their scores."""
        if not isinstance(answer, str):
            return self._focus_on_sentences(inputs, answer)
        if style.picks(self):
            whole = self._text([i for i in inputs["source"][0].tolist() if i > END])
            return self._focus_on_sentences(inputs, style.found(answer, whole))
        ids = [*self._ids(answer)[: LONGEST - 2], END]
        likely = decode.forced(
            graphs["step"], self._memory(graphs, inputs["source"]), self._start, ids, len(inputs["source"])
        )
        words, starts = self.pieces.words(ids)
        details = partial(self._details, graphs, inputs, answer)
        return Focus("log-probability of the summary", np.add.reduceat(likely, starts, axis=1), words, details=details)

    def _focus_on_sentences(self, inputs: Arrays, answer: Sequence[Mapping[str, Any]]) -> Focus:
        """The score of what is left of each picked sentence: of the sentence that shares most words with it, by that share."""
        if not answer:
            raise UsageError("nothing was picked that could be explained. Give a text with words.")
        picked = [set(extractive.words_of(found["text"])) for found in answer]
        values = np.zeros((len(inputs["source"]), len(picked)))
        for row, ids in enumerate(inputs["source"]):
            parts = extractive.cut(self._text(ids[ids > END].tolist()))
            scores = extractive.scores(parts, self.scorer_) if parts else np.zeros(0)
            for at, wanted in enumerate(picked):
                shares = [len(wanted & set(extractive.words_of(part.text))) / max(1, len(wanted)) for part in parts]
                values[row, at] = max((share * score for share, score in zip(shares, scores, strict=True)), default=0.0)
        return Focus("score of the sentences", values, [f"sentence {found['sentence']}" for found in answer])

    def _details(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> dict[str, Any]:
        """From which sentences the summary is: how much less likely it is without each of them, as shares that add up to 1."""
        ids = inputs["source"][0]
        parts = extractive.cut(self._text(ids[ids > END].tolist()))[:SHOWN]
        if len(parts) < 2:
            return {}
        left = [" ".join(part.text for part in parts if part is not gone) for gone in (None, *parts)]
        values = self.focus(graphs, self.collate([self.inputs({"text": text}) for text in left]), answer).values.sum(
            axis=1
        )
        lost = np.maximum(values[0] - values[1:], 0)
        shares = lost / max(float(lost.sum()), 1e-9)
        said = [
            {"number": p.number, "text": p.text, "share": round(float(s), 4)}
            for p, s in zip(parts, shares, strict=True)
        ]
        return {"kind": "sentences", "title": "Which sentences it is from", "sentences": said}

    # ---- scores ------------------------------------------------------------------------------------------------

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        self.shares_ = style.compared(self, examples, run)

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The first sentences of the text, as many as summaries have."""
        count = max(1, int(np.median([len(extractive.cut(e["summary"])) for e in learn[:500]] or [1])))
        return [" ".join(part.text for part in extractive.cut(e["text"])[:count]) for e in examples]

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        texts = [self.render(answer) for answer in answers]
        wanted = [e.get("references") or [e["summary"]] for e in examples]
        odd = [bool(faithful.unsupported(text, e["text"])) for text, e in zip(texts, examples, strict=True)]
        return metrics.summaries(texts, wanted, odd)
