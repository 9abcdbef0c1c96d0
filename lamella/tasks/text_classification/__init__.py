"""Classify texts by label: opinions, topics, intents, spam.

The net is wide and deep (Cheng et al., 2016). The wide part is a linear classifier over the words, pairs of words and
parts of words of a text; its loss is convex, and its best solution is computed before training
(`lamella.tasks.text_classification.linear`). The deep part reads the tokens in order, as `--net` says: a CNN (Kim, 2014), a
bidirectional GRU (rnn; Cho et al., 2014) or a Transformer encoder (Vaswani et al., 2017). Two things differ from the
paper: the wide part is solved, not trained, and the weights of the two parts are learned last, on texts that neither has
seen. With a few thousand examples the wide part is hard to beat and gets most of the weight; with many examples, or
where the order of words decides, the deep part does.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import msgspec
import numpy as np
from msgspec import Meta

from lamella import metrics
from lamella.data.text.pieces import END, Pieces, learn
from lamella.decode.likelihood import log_odds
from lamella.decode.steps import both_ways
from lamella.errors import DataError
from lamella.fields import Label, Text
from lamella.task import (
    EXPLAINED,
    Answer,
    Array,
    Arrays,
    Choice,
    Encoder,
    Example,
    Focus,
    GraphLike,
    Run,
    Scores,
    Task,
    Training,
    Transfer,
)
from lamella.tasks.text_classification import linear
from lamella.tasks.text_classification.features import FeatureSet, cased, plain

TABLE = 4_000_000  # limit on features times labels: with many labels there are fewer features
DOUBT = 10.0  # strength of the prior on the weights of the two parts
SETTLED = 10_000  # texts that the first head of an encoder is found by
AT_ONCE = 64  # of them
TOKENS = 512  # that the net reads at once
TOGETHER = 512  # texts that are read together
GENTLY = 0.03  # of the usual learning rate, where the first head is the best one
LEAST = 5e-4  # smallest probability, since answers have three decimals

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lamella.nets.transformer.classifiers import EncoderClassifier


class Config(msgspec.Struct, kw_only=True):
    net: Annotated[
        Literal["cnn", "rnn", "transformer"], Meta(description="Family of the net that reads the words in order.")
    ] = "cnn"
    vocabulary_size: Annotated[int, Meta(description="Vocabulary size of the net.", ge=50, extra={"was": "pieces"})] = (
        4000
    )
    max_features: Annotated[
        int,
        Meta(
            description="Most features of the linear part: words, pairs and parts of words.",
            ge=100,
            extra={"was": "features"},
        ),
    ] = 120_000
    strength: Annotated[
        float, Meta(description="Inverse regularization (C) of the linear part; 0: by cross-validation.", ge=0)
    ] = 0.0
    max_length: Annotated[
        int, Meta(description="Most tokens of a text that the net reads.", ge=8, le=4096, extra={"was": "longest"})
    ] = 256
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.5
    word_dropout: Annotated[
        float,
        Meta(
            description="Word dropout: share of tokens replaced by the unknown token in training.",
            ge=0,
            lt=1,
            extra={"was": "forget"},
        ),
    ] = 0.1
    label_smoothing: Annotated[float, Meta(description="Label smoothing.", ge=0, lt=1, extra={"was": "smoothing"})] = (
        0.0
    )
    linear: Annotated[
        bool,
        Meta(
            description="Answer by the linear part alone: a list of texts takes a fraction of the time.",
            extra={"when": "predict"},
        ),
    ] = False


class FromWords(Transfer["TextClassification"]):
    """From an encoder of masked words too."""

    begun = {"net": "transformer", "dropout": 0.2}
    few = 0  # with few labels the wide part answers nearly alone, and a Transformer takes three times as long

    def begin(self, task: "TextClassification", encoder: Encoder) -> Arrays:
        """The Transformer takes the whole encoder, the other nets its table of pieces."""
        task.vocabulary_, task.inner_, task.heads_ = encoder.vocabulary, encoder.inner, encoder.heads
        vars(task).pop("pieces", None)
        whole = task.config.net == "transformer"
        return {name: array for name, array in encoder.weights.items() if whole or name == "table"}

    def settle(self, task: "TextClassification", net: "nn.Module", examples: Sequence[Example]) -> float:
        """The head that fits best what the encoder says of the texts, and its weight beside the wide part; both by stacking.

        From a random head the first steps would pull the encoder out of shape (Kumar et al., 2022); from this one it moves little.
        """
        if task.config.net != "transformer" or task.unseen is None:
            return 1.0
        import torch

        reader, texts = cast("EncoderClassifier", net), task.unseen.texts[:SETTLED]
        some = [examples[int(i)] for i in texts]
        order = np.argsort([len(e["text"]) for e in some])
        found = np.zeros((len(some), len(reader.out.weight)))
        net.eval()
        with torch.no_grad():
            for ids in np.array_split(order, -(-len(order) // AT_ONCE)):
                arrays = task.collate([task.inputs(some[int(i)]) for i in ids])
                found[ids] = reader.pooled(torch.from_numpy(arrays["pieces"])).float().numpy()
            wanted = np.array([task.labels_.index(e["label"]) for e in some])
            *solution, unseen = linear.dense(found, wanted, len(task.labels_))
            for weight, array in zip((reader.out.weight, cast("Tensor", reader.out.bias)), solution, strict=True):
                weight.copy_(torch.from_numpy(array))
        net.train()
        both = np.stack([linear.logs(unseen), linear.logs(task.unseen.scores[:SETTLED])])
        shares, _, _ = linear.stack(both, wanted, extra=False)
        task.mix_ = task.guess = [max(0.0, float(share)) for share in shares]
        return GENTLY


class Read(dict[str, Any]):
    """An example whose text has been read."""

    __slots__ = ("arrays",)

    def __init__(self, example: Example, arrays: Arrays) -> None:
        super().__init__(example)
        self.arrays = arrays


class TextClassification(Task):
    fields = {"text": Text("The text to classify.")}
    answer = Label("The most likely label, and the probability of each.")
    target = "label"
    metric = "f1_weighted"
    training = Training(nets=("cnn", "rnn", "transformer"))
    transfer = FromWords()

    labels_: list[str]
    vocabulary_: bytes
    features_: bytes
    inner_: int = (
        0  # width of the feed-forward layers of an encoder that it began from, which reads texts in their own case
    )
    heads_: int = 0  # of its attention; 0: those of its size
    mix_: Sequence[float] = (0.2, 0.9)  # weights of the deep and the wide part before calibration
    solution: tuple[Array, Array] | None = None  # of the linear part; stored in the net, so not among what is learned
    unseen: linear.Unseen | None = None  # what it says of texts that it has not seen
    guess: Sequence[float] = mix_  # what the weights of the two parts are drawn to

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.labels import read_labelled

        table = read_labelled(list(paths), columns, to_learn=not hasattr(self, "labels_"))
        return [{"text": row["text"], "label": row["label"]} for row in table.rows], table.report.lines()

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import text_classification as samples

        return [{"text": text, "label": label} for text, label in samples.reviews(split)]

    def keys(self, example: Example) -> list[str]:
        return [plain(example["text"])]

    def fit(self, examples: Sequence[Example]) -> None:
        texts = [plain(e["text"]) for e in examples]
        self.labels_ = sorted({e["label"] for e in examples})
        self.vocabulary_ = learn([text or "-" for text in texts], self.config.vocabulary_size)
        self.features_ = FeatureSet.learn(texts, min(self.config.max_features, TABLE // len(self.labels_))).dump()
        for name in ("pieces", "known", "mix_"):  # caches of an earlier fit
            vars(self).pop(name, None)
        rows = [ids[ids != 0].astype(np.int64) for ids in map(self.known.encode, texts)]
        wanted = np.array([self.labels_.index(e["label"]) for e in examples])
        weights, bias, self.unseen = linear.solve(
            rows, wanted, len(self.known) + 1, len(self.labels_), self.config.strength or None, self.known.parts
        )
        self.solution = weights, bias

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.vocabulary_)

    @cached_property
    def known(self) -> FeatureSet:
        return FeatureSet.load(self.features_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        return example.arrays if isinstance(example, Read) else self._read([example])[0]

    def _read(self, examples: Sequence[Example]) -> list[Arrays]:
        """The arrays of several texts, which are read together in less time."""
        texts = [plain(example["text"]) for example in examples]
        if self.config.linear:  # the net reads nothing
            pieces = [np.array([END], np.int32)] * len(texts)
        else:
            read = [cased(example["text"]) for example in examples] if self.inner_ else texts
            most = self.config.max_length - 2
            pieces = [np.array([*ids[:most], END], np.int32) for ids in self.pieces.encode(read)]
        features = self.known.several(texts)
        return [{"pieces": ids, "features": rows} for ids, rows in zip(pieces, features, strict=True)]

    def targets(self, example: Example) -> Arrays:
        if example["label"] not in self.labels_:
            raise DataError(f"expected a label among {', '.join(self.labels_)}, received {example['label']!r}.")
        return {"label": np.array(self.labels_.index(example["label"]))}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        import torch

        c, size = self.config, self.size
        noise = {"dropout": c.dropout, "word_dropout": c.word_dropout}
        counts = len(self.pieces), len(self.known) + 1, len(self.labels_)
        net: nn.Module
        if c.net == "cnn":
            from lamella.nets.cnn.text import TextCNN

            net = TextCNN(*counts, width=size.width, channels=size.width // 2, **noise)
        elif c.net == "rnn":
            from lamella.nets.rnn.text import TextRNN

            net = TextRNN(*counts, width=size.width, hidden=size.width // 2, **noise)
        else:
            from lamella.nets.transformer.classifiers import EncoderClassifier

            heads = self.heads_ or size.heads
            net = EncoderClassifier(
                *counts, size.width, size.depth, heads, longest=c.max_length, inner=self.inner_, **noise
            )
        if self.solution is not None:
            net.wide.freeze(*map(torch.from_numpy, self.solution))
        return net

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from torch.nn import functional as F

        if self.state.phase != EXPLAINED:  # the wide part is solved, not trained
            return F.cross_entropy(outputs["deep"], targets["label"], label_smoothing=self.config.label_smoothing)
        both = zip(self.mix_, (outputs["deep"], outputs["wide"]), strict=True)
        mixed = [share * scores.log_softmax(dim=1) for share, scores in both]
        return F.cross_entropy(mixed[0] + mixed[1], targets["label"])

    # ---- answers -----------------------------------------------------------------------------------------------

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        answers: list[Answer] = []
        for first in range(0, len(examples), TOGETHER):
            part = examples[first : first + TOGETHER]
            answers += run([Read(example, arrays) for example, arrays in zip(part, self._read(part), strict=True)])
        return answers

    def _likely(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> Array:
        """Log-probabilities of the labels, (B, L)."""
        pieces, features = inputs["pieces"], inputs["features"]
        deep, wide = self.mix_
        if self.config.linear or not deep:  # what the net says counts for nothing
            return linear.logs(wide * linear.logs(self._wide(graphs, pieces, features)))
        if "read" in graphs:
            strongest = both_ways(graphs["read"], pieces)["strongest"]
            found = [graphs["classify"](strongest=strongest, features=features)]
        else:
            # Few at a time, whose tokens stay in the processor's cache, and of like lengths, as a batch comes in their order.
            rows = max(1, TOKENS // pieces.shape[1])
            lengths, found = np.count_nonzero(pieces, axis=1), []
            for part in (slice(at, at + rows) for at in range(0, len(pieces), rows)):
                read = pieces[part, : max(1, int(lengths[part].max()))]
                found.append(graphs["classify"](pieces=read, features=features[part]))
        said = [linear.logs(np.concatenate([out[name] for out in found])) for name in ("deep", "wide")]
        return linear.logs(deep * said[0] + wide * said[1])

    def _wide(self, graphs: Mapping[str, GraphLike], pieces: Array, features: Array) -> Array:
        """What the linear part says, without the net where the graph can be cut down to it."""
        graph = graphs["classify"]
        if hasattr(graph, "only"):
            return np.asarray(graph.only("wide")(features=features)["wide"])
        if "read" in graphs:
            state = graphs["read"].empty(batch=len(pieces))["strongest"]
            return graph(strongest=state, features=features)["wide"]
        return graph(pieces=pieces[:, :1], features=features)["wide"]

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        likely, names = np.exp(self._likely(graphs, inputs)).astype(np.float64), self.labels_
        shares, best = likely.round(3).tolist(), likely.argmax(axis=1).tolist()
        return [
            {"label": names[i], "probabilities": dict(zip(names, row, strict=True))}
            for i, row in zip(best, shares, strict=True)
        ]

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        label = self.labels_.index(answer["label"])
        return Focus(f"log-odds of {answer['label']}", log_odds(self._likely(graphs, inputs), label))

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """Fit the weights of the two parts to held-out texts by maximum likelihood, near the first guess if they are few.

        The sum of the weights sets how confident the answers are.
        """
        examples = [e for e in examples if e["label"] in self.labels_]
        if not examples:
            return
        scores = []
        for part in ([1.0, 0.0], [0.0, 1.0]):
            self.mix_ = part
            likely = [[a["probabilities"][name] for name in self.labels_] for a in run(examples)]
            scores.append(np.log(np.maximum(likely, LEAST)))
        wanted = np.array([self.labels_.index(e["label"]) for e in examples])
        shares, _, _ = linear.stack(np.stack(scores), wanted, self.guess, DOUBT, extra=False)
        self.mix_ = [round(max(0.0, float(share)), 3) for share in shares]

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The most frequent label of the training data, with the labels' frequencies as probabilities."""
        return metrics.most_frequent([e["label"] for e in learn], len(examples))

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        labels = sorted({*self.labels_, *(e["label"] for e in examples)})
        return metrics.classification([a["label"] for a in answers], [e["label"] for e in examples], labels)

    def render(self, answer: Answer) -> str:
        return f"{answer['label']} {answer['probabilities'][answer['label']]:.2f}"
