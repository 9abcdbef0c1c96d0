"""Vectors of texts that lie near each other where the texts mean the same: grades, search, duplicates.

It learns from whatever there is: pairs that belong together (a question and its answer, a sentence and its translation)
by InfoNCE (van den Oord et al., 2018), graded pairs by CoSENT (Su, 2022), triplets by both, and plain texts, each beside
itself with other words left out (SimCSE; Gao et al., 2021). A vector has two halves: pieces, which learn what words mean,
and hashed n-grams, which see that words are spelt alike. How far a grade goes with a cosine is learned last, from graded
pairs kept aside; without such a grade is the cosine.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta

from lamella.data.text.ngrams import READ, hashed, ids, inverse_frequency, plain
from lamella.data.text.pieces import PADDING, Pieces, learn, normalise
from lamella.errors import UsageError
from lamella.fields import Matches, Number, Text, Vector
from lamella.metrics import ranking
from lamella.task import (
    Answer,
    Array,
    Arrays,
    Choice,
    Encoder,
    Example,
    Focus,
    GraphLike,
    Question,
    Run,
    Scores,
    Task,
    Training,
    Transfer,
    vectors,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

LEARNED_FROM = 200_000  # texts that say which pieces and n-grams there are and how rare each is
KNOTS = 12  # points of the line from cosines to grades
LEAST_GRADED = 30  # graded pairs from which that line is learned
GRADED = 0.15  # share of the examples drawn that are graded, where there are others
Line = list[list[float]]  # cosines and the grades that go with them, both rising


class Config(msgspec.Struct, kw_only=True):
    vocabulary_size: Annotated[int, Meta(description="Vocabulary size.", ge=50)] = 8000
    buckets: Annotated[int, Meta(description="Rows of the table of hashed n-grams.", ge=100)] = 32_768
    hashed_width: Annotated[int, Meta(description="Numbers of a vector that come from the n-grams.", ge=8)] = 64
    blocks: Annotated[int, Meta(description="Transformer blocks over the pieces; 0: a bag of pieces.", ge=0, le=12)] = 0
    max_length: Annotated[int, Meta(description="Pieces of a text that are read.", ge=8, le=4096)] = 256
    dropout: Annotated[float, Meta(description="Share of pieces and n-grams left out in training.", ge=0, lt=1)] = 0.1
    temperature: Annotated[float, Meta(description="Of InfoNCE; lower: only near negatives count.", gt=0)] = 0.05
    graded_weight: Annotated[float, Meta(description="Weight of the loss of graded pairs.", ge=0)] = 0.03
    max_score: Annotated[float, Meta(description="Highest score of the data; 0: 1 or 5, by the scores.", ge=0)] = 0.0
    top: Annotated[int, Meta(description="Neighbours to give.", ge=1, le=1000, extra={"when": "predict"})] = 5
    vectors: Annotated[
        bool, Meta(description="Give the vectors of both texts beside a grade.", extra={"when": "predict"})
    ] = False


ONE = {"text": Text("A sentence or a short text.")}
PAIR = {"first": Text("A sentence or a short text."), "second": Text("What it is compared with.")}
GRADE = Number("How alike two texts mean.")


class FromWords(Transfer["SentenceSimilarity"]):
    """From the vectors of pieces of a translator or of an encoder of masked words too.

    What means the same has the same translations, so a translator's vectors of pieces say more about that than its blocks
    do, in all of its languages (`bench.sentence_similarity --own`).
    """

    begun = {"blocks": 0}
    few, usual = 10_000, "en-de+es+fr+zh"

    def adopt(self, task: "SentenceSimilarity", other: Any, weights: Arrays) -> Arrays:
        """All of a model of its own; of others the vocabulary and the table, of an encoder with --blocks its blocks too."""
        if type(other).__qualname__ == type(task).__qualname__:
            return super().adopt(task, other, weights)
        encoder = other.transfer.encoder(other, weights)
        if encoder is not None and task.config.blocks:
            return self.begin(task, encoder)
        reads = encoder is not None or "encoder.0.feed.up.weight" in weights
        vocabulary, table = getattr(other, "vocabulary_", b""), weights.get("table")
        if not reads or not vocabulary or table is None or len(table) != len(Pieces(vocabulary)):
            raise UsageError(
                "sentence-similarity cannot begin from this model: expected one of sentence-similarity, fill-mask, or translation "
                f"with one vocabulary, received {type(other).__name__}."
            )
        rare = self._known(task, vocabulary)
        return {
            "table": vectors(table, task.size.width),
            "importance": np.log(np.maximum(rare, 0.1)).astype(np.float32),
        }

    def begin(self, task: "SentenceSimilarity", encoder: Encoder) -> Arrays:
        """All of the encoder, its blocks under the weighted sum of the pieces."""
        task.inner_, task.heads_ = encoder.inner, encoder.heads
        task.config = msgspec.structs.replace(task.config, blocks=encoder.depth)
        self._known(task, encoder.vocabulary)
        return dict(encoder.weights)

    def _known(self, task: "SentenceSimilarity", vocabulary: bytes) -> Array:
        """Take over a vocabulary, and say how rare each of its pieces is in the task's texts, (V,)."""
        task.vocabulary_ = vocabulary
        vars(task).pop("pieces", None)
        rare = task._rarity(task.few_texts)
        if task.rarity is not None:
            task.rarity = rare, task.rarity[1]
        return rare


def _hold_out(task: "SentenceSimilarity", examples: Sequence[Example], wanted: int, seed: int) -> list[int] | None:
    from lamella.data.readers.similar import held_out

    return held_out([task.keys(e) for e in examples], ["score" in e for e in examples], wanted, seed)


def _weights(task: "SentenceSimilarity", examples: Sequence[Example]) -> Array | None:
    graded = np.array(["score" in e for e in examples])
    share = graded.mean()
    if not 0 < share < GRADED:
        return None
    return np.asarray(np.where(graded, GRADED / share, (1 - GRADED) / (1 - share)))


class SentenceSimilarity(Task):
    fields = PAIR
    answer = GRADE
    questions = {
        "grade": Question(PAIR, GRADE, "How alike two texts mean."),
        "vector": Question(ONE, Vector("The text as a vector of length 1."), "A text as numbers."),
        "neighbours": Question(
            ONE, Matches("The texts nearest in meaning."), "What lies nearest in a corpus.", "vector"
        ),
        "duplicates": Question(ONE, Matches("The nearest other row."), "Which rows of a table mean the same."),
    }
    target = "score"
    metric = "spearman"
    transfer = FromWords()
    training = Training(
        nets=("transformer",),
        batch=384,
        rate=2.5,  # tables of which a batch moves few rows
        precise=True,
        measured={"vectors": True},
        hold_out=_hold_out,
        weights=_weights,
    )

    vocabulary_: bytes
    inner_: int = (
        0  # width of the feed-forward layers of an encoder that it began from, which reads texts in their own case
    )
    heads_: int = 0  # of its attention; 0: those of its size
    line_: Line = []
    highest_: float = 1.0
    rarity: tuple[Array, Array] | None = None  # of pieces and n-grams, for a net that is not trained yet
    few_texts: Sequence[str] = ()  # those that it was counted in

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.similar import read_similar

        return read_similar(paths, columns, self.config.max_score)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import sentence_similarity as samples

        return [{"first": a, "second": b, "score": s, "highest": 5.0} for a, b, s in samples.pairs(split)]

    def keys(self, example: Example) -> list[str]:
        first, second = _texts(example)
        return [first] if example.get("negative") else [first, second]  # one text is the negative of many

    def given(self, example: Example) -> Example:
        if "text" in self.fields and "text" not in example:
            return {"text": example["first"]}
        return super().given(example)

    def fit(self, examples: Sequence[Example]) -> None:
        texts = list(dict.fromkeys(text for e in examples for text in _texts(e)))
        few = texts[:: -(-len(texts) // LEARNED_FROM)]
        self.vocabulary_ = learn([text or "-" for text in few], self.config.vocabulary_size)
        vars(self).pop("pieces", None)  # what an earlier fit knew
        self.highest_ = max((float(e["highest"]) for e in examples if "score" in e), default=1.0)
        features = [np.array(ids(text, self.config.buckets), np.int64) for text in few]
        self.rarity = self._rarity(few), inverse_frequency(features, self.config.buckets)
        self.few_texts = few

    def _rarity(self, texts: Sequence[str]) -> Array:
        """The inverse frequency of each piece in some texts, (V,)."""
        return inverse_frequency([np.array(found, np.int64) for found in self.pieces.encode(texts)], len(self.pieces))

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.vocabulary_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        if "text" in self.fields:
            return self._text(example["text"])
        other = self._text(example["second"])
        return {**self._text(example["first"]), **{f"other_{name}": array for name, array in other.items()}}

    def _text(self, text: str) -> Arrays:
        read, text = normalise(text[:READ].encode(errors="replace").decode()), plain(text)
        pieces = self.pieces.encode([read if self.inner_ else text])[0][: self.config.max_length] or [
            PADDING
        ]  # nothing: no direction
        return {"pieces": np.array(pieces, np.int32), "features": hashed(text, self.config.buckets)}

    def targets(self, example: Example) -> Arrays:
        keys = dict(zip(("key", "other_key"), map(_number, _texts(example)), strict=True))
        grade = float(example["score"]) / float(example["highest"]) if "score" in example else np.nan
        return {"grade": np.array(grade, np.float32), **keys}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        import torch

        from lamella.nets.transformer.sentences import SentenceEncoder

        c, size = self.config, self.size
        pieces, features = self.rarity or (np.ones(len(self.pieces)), np.ones(c.buckets))
        return SentenceEncoder(
            torch.from_numpy(pieces).float(),
            torch.from_numpy(features).float(),
            size.width,
            c.hashed_width,
            c.blocks,
            self.heads_ or size.heads,
            c.dropout,
            c.max_length,
            self.inner_,
        )

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.contrast import cosent, info_nce

        one, other, grade = outputs["one"], outputs["other"], targets["grade"]
        known = ~grade.isnan()
        positive = ~known | (grade >= 1)
        keys, weight = (targets["key"], targets["other_key"]), float(self.config.graded_weight)
        ranked = cosent((one * other).sum(dim=1)[known], grade[known])
        return info_nce(one, other, keys, positive, self.config.temperature) + weight * ranked

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        one, other = _vectors(graphs, inputs)
        if other is None:
            return [[round(float(x), 5) for x in row] for row in one]
        answers: list[Answer] = []
        for a, b in zip(one, other, strict=True):
            cosine = float(a @ b)
            answer: dict[str, Any] = {"grade": self._grade(cosine), "cosine": round(cosine, 5)}
            if self.config.vectors:
                answer["vectors"] = [a.tolist(), b.tolist()]
            answers.append(answer)
        return answers

    def _grade(self, cosine: float) -> float:
        """The grade that goes with a cosine, from 0 to the highest."""
        if not self.line_:
            return round(cosine, 4)
        grade = float(np.interp(cosine, self.line_[0], self.line_[1]))
        return round(min(max(0.0, grade), self.highest_), 4)

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        vectors = run(examples)
        if self.state.asked == "neighbours":
            if self.state.index is None:
                raise UsageError("--ask neighbours: expected something to search in. Give it with --corpus or --index.")
            near = self.state.index.search(np.array(vectors, np.float32), self.config.top)
            return [[{"text": e["text"], "grade": self._grade(c)} for e, c in entries] for entries in near]
        return self._nearest(examples, vectors) if self.state.asked == "duplicates" else vectors

    def _nearest(self, examples: Sequence[Example], vectors: Sequence[Answer]) -> list[Answer]:
        """For each text of a table the nearest other one; {} where it is the only one."""
        if len(examples) < 2:
            return [{"row": 0, "text": "", "grade": 0.0} for _ in examples]
        rows = np.array(vectors, np.float32)
        answers: list[Answer] = []
        for at, row in enumerate(rows):
            cosines = rows @ row
            cosines[at] = -2.0
            best = int(cosines.argmax())
            answers.append({"row": best + 1, "text": examples[best]["text"], "grade": self._grade(cosines[best])})
        return answers

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        one, other = _vectors(graphs, inputs)
        if other is not None:
            return Focus("cosine of the two texts", (one * other).sum(axis=1))
        if isinstance(answer, list) and answer and isinstance(answer[0], float):
            return Focus("cosine with the whole text", one @ np.array(answer, np.float32))
        near = answer[0]["text"] if isinstance(answer, list) else answer["text"]
        beside = self.collate([self._text(near)])
        return Focus(f"cosine with {near[:60]!r}", one @ _vectors(graphs, beside)[0][0])

    # ---- scores ------------------------------------------------------------------------------------------------

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The cosine of TF-IDF over the same n-grams, hashed: how much the spelling alone tells."""
        texts = [text for e in learn[:2000] for text in _texts(e)]
        buckets = self.config.buckets
        weight = inverse_frequency([np.array(ids(text, buckets), np.int64) for text in texts], buckets) + 1
        found = [[ids(text, buckets) for text in _texts(e)] for e in examples]
        return [{"grade": _overlap(one, other, weight)} for one, other in found]

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """The line from cosines to grades, from graded pairs that the net has not seen."""
        known = [e for e in examples if "score" in e]
        if len(known) >= LEAST_GRADED:
            cosines = np.array([a["cosine"] for a in run(known)])
            self.line_ = rising(cosines, np.array([float(e["score"]) for e in known]), self.highest_)

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        return ranking.similarity(answers, examples, list(map(_texts, examples)))

    def render(self, answer: Answer) -> str:
        if isinstance(answer, dict) and "cosine" in answer:
            return f"{answer['grade']:.2f}"
        if isinstance(answer, dict):
            return f"{answer['grade']:.2f} {answer['text']}" if answer["row"] else ""
        if answer and isinstance(answer[0], dict):
            return "; ".join(f"{near['grade']:.2f} {near['text']}" for near in answer)
        return " ".join(f"{x:.5g}" for x in answer)


def rising(cosines: Array, grades: Array, highest: float) -> Line:
    """A rising line through the grades of pairs, as points: cosines, grades.

    The means of about equal groups in order of their cosine, made to rise by pooling neighbours that do not (isotonic
    regression; Barlow et al., 1972), with a little slope everywhere, so that two different cosines never have one grade.
    """
    order = np.argsort(cosines)
    groups = [g for g in np.array_split(order, min(KNOTS, len(order) // 3)) if len(g)]
    pools = [[float(cosines[g].mean()), float(grades[g].mean()), float(len(g))] for g in groups]
    at = 0
    while at < len(pools) - 1:
        if pools[at][1] < pools[at + 1][1]:
            at += 1
            continue
        (c0, g0, n0), (c1, g1, n1) = pools[at], pools.pop(at + 1)
        pools[at] = [(c0 * n0 + c1 * n1) / (n0 + n1), (g0 * n0 + g1 * n1) / (n0 + n1), n0 + n1]
        at = max(0, at - 1)
    ends = [
        [-1.001, min(0.0, pools[0][1]) - 1e-3],
        *([c, g] for c, g, _ in pools),
        [1.001, max(highest, pools[-1][1] + 1e-3)],
    ]
    x, y = zip(*ends, strict=True)
    return [[round(float(v), 6) for v in x], [round(float(v), 6) for v in y]]


def _vectors(graphs: Mapping[str, GraphLike], inputs: Arrays) -> tuple[Array, Array | None]:
    """The vectors of the texts, and of those they are compared with, where there are such."""
    one = graphs["embed"](pieces=inputs["pieces"], features=inputs["features"])["vector"]
    if "other_pieces" not in inputs:
        return one, None
    return one, graphs["embed"](pieces=inputs["other_pieces"], features=inputs["other_features"])["vector"]


def _texts(example: Example) -> tuple[str, str]:
    return plain(example["first"]), plain(example["second"])


def _number(text: str) -> Array:
    """A number of a text, the same for the same text."""
    import zlib

    return np.array(zlib.crc32(text.encode()) + (len(text) << 32), np.int64)


def _overlap(one: list[int], other: list[int], weight: Array) -> float:
    """The cosine of two texts' TF-IDF vectors, each feature counted once."""
    a, b = (np.unique(np.array(found, np.int64)) for found in (one, other))
    both = np.intersect1d(a, b)
    squares = weight**2
    return float(squares[both].sum() / max(1e-9, np.sqrt(squares[a].sum() * squares[b].sum())))
