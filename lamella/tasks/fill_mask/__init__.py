"""Fill in the words that are missing from a text, and find its least likely words.

The net is a Transformer encoder trained on masked words (Devlin et al., 2019): in each step other words and spans of words
of a passage are hidden, and the net is asked for them, given both sides. In an answer a mask stands for a whole word, of
however many pieces; several masks are filled together, so that their words fit each other (`search.py`).

The same net says of each word of a text how likely it is where it stands (`--ask unlikely`): the pseudo-likelihood of a
text (Salazar et al., 2020), with which slips are found. What it has learned of a language other tasks can begin from: `--init`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from lamella import metrics
from lamella.data.readers import windows
from lamella.data.readers.cloze import PATTERN
from lamella.data.text.encoding import read_text
from lamella.data.text.pieces import END, UNKNOWN, Pieces, learn, normalise
from lamella.errors import UsageError
from lamella.fields import Marked, Text
from lamella.task import (
    Answer,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Output,
    Question,
    Run,
    Scores,
    Task,
    Training,
)
from lamella.tasks.fill_mask import cloze, mixture
from lamella.tasks.fill_mask.cloze import whole
from lamella.tasks.fill_mask.config import LONGEST
from lamella.tasks.fill_mask.config import Config as Config
from lamella.tasks.fill_mask.counts import Counts
from lamella.tasks.fill_mask.gives import Gives
from lamella.tasks.fill_mask.joint import Joint, masked
from lamella.tasks.fill_mask.search import NEVER, Filler, chosen, parse
from lamella.tasks.fill_mask.search import Text as Gaps

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

BEAM = 4  # words of several pieces that the search goes on with
NAMED = 1000  # words of the trivial answer
LEARNED = 60_000  # passages that the vocabulary is learned from: more would take minutes and change little
COUNTED = 5000  # words of a text, below which hardly a phrase is there twice, and the net answers alone
UNSEEN = -50.0  # the log-probability of a word that has no place, in an explanation

MASKED = {"text": Text("A text with ___ in the place of each missing word.", fixed=PATTERN)}
FILLED = Marked("The text with the most likely words in its gaps, and what else could stand there.")


def _document(task: "FillMask", path: Path, run: Run, columns: Choice = None) -> tuple[bytes, dict[str, int]] | None:
    """Of a whole text its least likely words, a line each: where, what, how likely, what would be likelier."""
    if task.state.asked != "unlikely":
        return None
    text = task.questions["unlikely"].fields["text"].check(str(path), read_text(path)[0])
    [answer] = task.answers([{"text": text}], run)
    lines = []
    for mark in answer["marks"]:
        line, column = text.count("\n", 0, mark["start"]) + 1, mark["start"] - text.rfind("\n", 0, mark["start"])
        lines.append(f"{line}:{column}: {mark['word']} ({mark['probability']:.2g}), likelier: {mark['instead']}\n")
    return "".join(lines).encode(errors="backslashreplace"), {
        "words": len(cloze.WORD.findall(text)),
        "listed": len(lines),
    }


class FillMask(Task):
    fields = MASKED
    answer = FILLED
    questions = {
        "fill": Question(MASKED, FILLED, "Which words are missing."),
        "unlikely": Question(
            {"text": Text("A text.", written=True)},
            Marked("Its least likely words."),
            "Which words fit least, such as slips.",
        ),
    }
    target = "words"
    metric = "loss"
    output = Output(suffixes=(".txt", ".md"), document=_document)
    transfer = Gives()
    training = Training(
        nets=("transformer",),
        rate=1.0,  # at 1.5 the loss of a small net rises again after a thousand steps
        generative=True,
        measured={"top": 100, "longest_word": 2},
        quick={"longest_word": 1},
        noun="passages",
        terms="wanted",
        parts=lambda paths, columns: windows.cut(paths),
        less_is_better=True,
    )

    vocabulary_: bytes
    lengths_: Sequence[float]  # how often a word has 1, 2, ... pieces
    words_: int  # how many different words there are
    heads_: int = 0  # of a net that was trained with other heads than those of its size; 0: those of its size
    known_: bytes = b""  # their checksums, 4 bytes each: pieces put together may make no word
    counts_: bytes = b""  # of words and phrases; empty: the net answers alone
    mix_: Sequence[float] = mixture.FIRST_GUESS  # how net and counts go together
    gathering: list[mixture.Evidence] | None = None  # while that is learned: what `decode` puts its evidence into

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.cloze import read_cloze

        rows, lines = read_cloze(paths, self.config.window, cloze.check, columns, cloze.choices)
        return [dict(row) for row in rows], lines

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import fill_mask as samples

        return [{"text": text, "words": word} for text, word in samples.masked_sentences(split)]

    @property
    def optional(self) -> Mapping[str, Text]:
        return {"choices": Text("Words to choose from, with commas.")} if self.state.asked != "unlikely" else {}

    def keys(self, example: Example) -> list[str]:
        return [whole(example)]

    def fit(self, examples: Sequence[Example]) -> None:
        texts = [whole(e) or "-" for e in examples]
        self.vocabulary_ = learn(map(normalise, texts), self.config.vocabulary_size, [cloze.MASK], sentences=LEARNED)
        for name in ("pieces", "kinds", "known", "mix_"):  # caches of an earlier fit
            vars(self).pop(name, None)
        self._count(texts)
        self.count_phrases(texts)

    def _count(self, texts: Sequence[str]) -> None:
        """How many words there are, and of how many pieces."""
        words: set[str] = set()
        lengths = Counter[int]()
        for text in texts:
            ids = self._ids(text)
            for a, b in cloze.groups(ids, self.kinds):
                lengths[min(b - a, LONGEST)] += 1
                words.add(self.kinds.word(ids[a:b]))
        self.known_ = np.array(sorted({crc32(word.encode()) for word in words}), np.uint32).tobytes()
        counts = np.array([lengths[n] for n in range(1, LONGEST + 1)]) + 0.5
        self.lengths_ = [round(float(share), 6) for share in counts / counts.sum()]
        self.words_ = len(words)

    def count_phrases(self, texts: Sequence[str], before: Counts | None = None) -> None:
        """Count words and phrases, besides those that were counted before; nothing of a short text."""
        enough = before or sum(len(cloze.WORD.findall(text)) for text in texts) >= COUNTED
        most = 1_000_000 * self.config.counts if enough else 0
        for name in ("counts_", "counts"):  # a model without counts has no file of them
            vars(self).pop(name, None)
        if most:
            self.counts_ = Counts.learn(map(normalise, texts), self._spell, most, before).dump()

    @cached_property
    def counts(self) -> Counts:
        return Counts.load(self.counts_, len(self.pieces))

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.vocabulary_)

    @cached_property
    def kinds(self) -> cloze.Kinds:
        return cloze.Kinds.make(self.pieces)

    @cached_property
    def known(self) -> frozenset[int]:
        """The checksums of all words."""
        return frozenset(np.frombuffer(self.known_, np.uint32).tolist())

    @property
    def mask(self) -> int:
        """The id that hides."""
        return self.pieces.mark(cloze.MASK)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def _ids(self, text: str) -> list[int]:
        return [i for part in cloze.tokens(self.pieces, text) for i in part]

    def inputs(self, example: Example) -> Arrays:
        if self.state.asked != "unlikely":
            cloze.check(example["text"])
        ids = np.array(self._ids(example["text"]) or [END], np.int32)
        return {"pieces": ids, "choices": self._choices(example)}

    def _choices(self, example: Example) -> Any:
        """The pieces of each choice, after a space and joined to what stands before: (C, 2, LONGEST), 0 where there is none."""
        words = cloze.choices(str(example.get("choices") or self.config.choices))
        out = np.zeros((len(words), 2, LONGEST), np.int32)
        for row, word in zip(out, words, strict=True):
            for side, ids in zip(row, self._spelt(normalise(word)), strict=True):
                if UNKNOWN in ids:
                    raise UsageError(
                        f"--choices: {word[:60]!r} has letters that the model's vocabulary has not. Choose another."
                    )
                if len(ids) > LONGEST:
                    raise UsageError(
                        f"--choices: {word[:60]!r} has more than {LONGEST} pieces in the model's vocabulary. Choose another."
                    )
                side[: len(ids)] = ids
        return out

    def _spelt(self, word: str) -> tuple[list[int], list[int]]:
        """The pieces of a word after a space, and joined to a mark before it."""
        return self._spell([word])[0]

    def _spell(self, words: Sequence[str]) -> list[tuple[list[int], list[int]]]:
        joined = self.pieces.encode([cloze.MASK + word for word in words])
        joined = [ids[ids.index(self.mask) + 1 :] for ids in joined]
        return list(zip(self.pieces.encode(words), joined, strict=True))

    def targets(self, example: Example) -> Arrays:
        ids = np.array(self._ids(example["text"]) or [END], np.int32)
        wanted = np.zeros_like(ids)
        places = np.flatnonzero((ids == self.mask) | (ids == cloze.JOINED))
        words = str(example.get("words") or "").split()
        for place, word in zip(places, words, strict=False):
            wanted[place] = (self._spelt(word)[int(ids[place] == cloze.JOINED)] or [0])[0]
        every = self._ids(whole(example))
        return {"wanted": wanted, "whole": np.array(every or [END], np.int32)}

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        """Other words masked in each step; fewer of them towards the end, when texts are as they will be asked."""
        import torch

        from lamella.nets.sequences import crop
        from lamella.nets.transformer.masked import mask_words

        ids = crop(batch["whole"], self.config.window)
        share = self.config.mask_share + (self.config.last_share - self.config.mask_share) * self.state.progress
        kinds = torch.from_numpy(self.kinds.of).to(ids.device)
        pieces, wanted = mask_words(ids, kinds, share, self.mask, rng)
        return {**batch, "pieces": pieces, "wanted": wanted}

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        from lamella.nets.transformer.masked import MaskedTransformer

        c, n, heads = self.config, self.size, self.heads_ or self.size.heads
        return MaskedTransformer(len(self.pieces), n.width, n.depth, heads, c.dropout, c.window)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.losses import tied_cross_entropy

        # What is not wanted is 0 and left out: the product with the vocabulary is made at the masked places alone.
        return tied_cross_entropy(outputs["hidden"], outputs["table"], targets["wanted"], bias=outputs["bias"])

    # ---- answers -----------------------------------------------------------------------------------------------

    def _filler(self, graphs: Mapping[str, GraphLike]) -> Filler:
        known = self.known if self.known_ else None
        filler = Filler(graphs, self.kinds, self.lengths_, self.mask, self.config.window, known)
        return Joint(filler, self.counts, self.mix_, self._spell, self.config.longest_word) if self.counts_ else filler

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        filler = self._filler(graphs)
        if self.state.asked == "unlikely":
            return self._unlikely(filler, inputs["pieces"])
        texts, top = parse(inputs["pieces"], self.mask), self.config.top
        if self.gathering is not None and isinstance(filler, Joint):
            self.gathering += filler.evidence(texts)
            return [[] for _ in texts]
        given = [chosen(choices) for choices in inputs["choices"]]
        free = [t for t in texts if not given[t.row]]
        bound = [t for t in texts if given[t.row]]
        found = [*filler.together(free, top, self.config.longest_word, BEAM), *filler.among(bound, given, top)]
        answers: list[Answer] = [None] * len(texts)
        for text, best in zip([*free, *bound], found, strict=True):
            answers[text.row] = [self._filling(one) for one in best]
        return answers

    def _filling(self, text: Gaps) -> dict[str, Any]:
        return {"words": [self.kinds.word(ids) for ids in text.filled], "probability": _short(np.exp(text.score))}

    def _unlikely(self, filler: Filler, rows: Any) -> list[Answer]:
        """For each text the log-probability of each word, and for the least likely ones a likelier word."""
        answers: list[Answer] = []
        for ids in (row[row != 0].tolist() for row in rows):
            texts, scores = self._likelihood(filler, ids)
            few = [int(i) for i in np.argsort(scores)[: 2 * self.config.top]]  # of some the place cannot be told
            likelier = filler.words([texts[i] for i in few], 1, 1, 1) if few else []
            instead = {i: self.kinds.word(best[0][0]) if best else "" for i, best in zip(few, likelier, strict=True)}
            answers.append({"scores": scores.tolist(), "instead": instead})
        return answers

    def _likelihood(self, filler: Filler, ids: list[int]) -> tuple[list[Gaps], Any]:
        """The text with each of its words left out, and the log-probability of that word there."""
        spans = cloze.groups(ids, self.kinds)
        texts = [Gaps(0, [ids[:a], ids[b:]], [self.kinds.of[ids[a]] == cloze.GOES_ON]) for a, b in spans]
        return texts, filler.likelihood(texts, [ids[a:b] for a, b in spans])

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        if self.state.asked != "unlikely":
            for example in examples:
                cloze.check(example["text"])
        found = run(examples)
        if self.state.asked == "unlikely":
            return [self._marked(e["text"], each) for e, each in zip(examples, found, strict=True)]
        return [self._filled(e["text"], each) for e, each in zip(examples, found, strict=True)]

    def _filled(self, text: str, fillings: Answer) -> Answer:
        best: dict[str, Any] = fillings[0] if fillings else {"words": [], "probability": 0.0}
        full, spans = cloze.filled(text, best["words"])
        marks = [{"start": a, "end": b, "word": w} for (a, b), w in zip(spans, best["words"], strict=True)]
        answer = {"text": full, "words": best["words"], "probability": best["probability"], "marks": marks}
        answer["fillings"] = fillings
        if len(text) > self.config.window and len(self._ids(text)) > self.config.window:
            answer["note"] = f"Longer than a window: each mask is filled by the {self.config.window} pieces around it."
        return answer

    def _marked(self, text: str, found: Answer) -> Answer:
        """The least likely words of a text with their places, least likely first, and its pseudo-perplexity."""
        places, scores = cloze.spots(self.pieces, text, self.kinds), found["scores"]
        known = [score for score in scores if score > NEVER / 2]
        perplexity = float(np.exp(-np.mean(known))) if known else None
        marks = []
        for i, instead in found["instead"].items():
            if (place := places[int(i)]) is not None:
                mark = {"start": place[0], "end": place[1], "word": text[slice(*place)], "instead": instead}
                marks.append({**mark, "probability": _short(np.exp(max(scores[int(i)], -700.0)))})
        marks = marks[: self.config.top]
        return {"text": text, "marks": marks, "pseudo_perplexity": None if perplexity is None else _short(perplexity)}

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """The log-odds of each word that was filled in, given those before it; of a whole text how likely its words are."""
        filler = self._filler(graphs)
        if self.state.asked == "unlikely":  # a word that fits ill weighs against it
            rows = [self._likelihood(filler, row[row != 0].tolist())[1] for row in inputs["pieces"]]
            means = np.array([np.maximum(scores, UNSEEN).mean() if len(scores) else UNSEEN for scores in rows])
            return Focus("mean log-probability of its words", means)
        texts = parse(inputs["pieces"], self.mask)
        words, columns = list(answer["words"]), []
        for word in words:
            spelt, scores = self._spelt(word), np.full(len(texts), UNSEEN)
            # Without the mark between them two masks may have become one: then there is no place for the second word.
            places = [i for i, t in enumerate(texts) if t.open]
            ids = [spelt[texts[i].joined[len(texts[i].filled)]] for i in places]
            scores[places] = np.maximum(filler.likelihood([texts[i] for i in places], ids), UNSEEN)
            columns.append(scores - np.log1p(-np.exp(np.minimum(scores, -1e-9))))
            for i, each in zip(places, ids, strict=True):
                texts[i] = texts[i].with_word(each, 0.0)
        if not words:
            return super().focus(graphs, inputs, answer)
        name = f"log-odds of {' … '.join(words)}"
        return Focus(name, columns[0]) if len(words) == 1 else Focus(name, np.stack(columns, axis=1), words)

    # ---- scores ------------------------------------------------------------------------------------------------

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """How net and counts go together, by words of texts that were kept aside."""
        if not self.counts_:
            return
        seen: list[mixture.Seen] = []
        for text, word in masked([whole(e) for e in examples]):
            if (right := self.counts.ids.get(word)) is not None:
                self.gathering = []
                run([{"text": text}])
                seen += [mixture.seen(one, right, mixture.FIRST_GUESS, len(seen)) for one in self.gathering]
        self.gathering = None
        self.mix_ = mixture.weigh(seen)

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The most frequent words of the training texts, whatever stands around the mask."""
        counts = Counter(word for e in learn for word in cloze.WORD.findall(whole(e)))
        total = counts.total() + 1
        few: list[dict[str, Any]] = [
            {"words": [word], "probability": n / total} for word, n in counts.most_common(NAMED)
        ]
        first = [few[0]["words"][0]] if few else []
        return [{"text": "", "marks": [], "words": first, "probability": 0.0, "fillings": few} for _ in examples]

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        return metrics.fillings(answers, [str(e["words"]).split() for e in examples], self.words_)

    def render(self, answer: Answer) -> str:
        if "fillings" not in answer:
            return "; ".join(f"{m['word']} {m['probability']:.2g} ({m['instead']})" for m in answer["marks"])
        words = ", ".join(f"{' … '.join(one['words'])} {one['probability']:.2g}" for one in answer["fillings"])
        return f"{words} ({answer['note']})" if "note" in answer else words


def _short(value: float) -> float:
    """A number to four significant digits."""
    return float(f"{float(value):.4g}")
