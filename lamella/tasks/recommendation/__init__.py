"""Recommend what somebody may choose next, by what they chose so far: films, books, goods, songs, pages.

The question is a list of items, never the number of a user: it is answered for anyone, at once. Several parts say how
likely each item of the catalogue is: a Transformer that reads the history in order (SASRec with a full softmax; Kang and
McAuley, 2018; Klenitskiy and Vasilev, 2023), what follows what, what is chosen by the same people, popularity, and what
was chosen before. How much each counts is learned last, from choices that none of them has seen. Items are described by
the words of their name and of a table of items, so that new ones have a vector. Whether what was chosen already is
recommended again follows from how often that happens in the data.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lamella.decode.best import best_of
from lamella.decode.likelihood import log_odds
from lamella.errors import DataError, UsageError
from lamella.fields import Items, Ranking
from lamella.metrics import ranking
from lamella.task import (
    Answer,
    Array,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Run,
    Scores,
    Task,
    Training,
    as_learned,
)
from lamella.tasks.recommendation import mixture
from lamella.tasks.recommendation.catalogue import Catalogue, Described
from lamella.tasks.recommendation.config import Config as Config
from lamella.tasks.recommendation.counts import FIRST_GUESS, Counts, weigh
from lamella.tasks.recommendation.mixture import FORBIDDEN

if TYPE_CHECKING:
    from torch import Tensor, nn

START, UNKNOWN, FIRST = 2, 1, 3  # ids of the net: the start, an item without a vector of its own, the first item
SPOKEN, REPEATED = 8, 0.02  # words for such an item; share of repeated choices, from which these are recommended again
NO_WORDS = np.zeros((1, SPOKEN), np.int32)
EXPLAINED, REASONED = 5, 3  # recommendations that an explanation is of, and of them those whose reasons it names
TRIED = 20  # latest items of a history that are taken away, one at a time, to find reasons
WEIGHED = 60_000_000  # numbers from which the weights of the parts are learned, at most
HISTORY = "What somebody chose so far, the latest last."


def _hold_out(task: "Recommendation", examples: Sequence[Example], wanted: int, seed: int) -> list[int] | None:
    latest = max((e.get("held", 0) for e in examples), default=0)
    return [i for i, e in enumerate(examples) if e.get("held") == latest] if latest else None


def _weights(task: "Recommendation", examples: Sequence[Example]) -> Array | None:
    """A history as often as the net needs windows to see it; one that goes on in another example not at all."""
    longest = set(_longest(examples))
    return np.array([max(1.0, len(e["history"]) / task.config.window) * (i in longest) for i, e in enumerate(examples)])


class Recommendation(Task):
    answer = Ranking("The items that are likeliest to be chosen next, and names that are not known.")
    target = "next"
    metric = "ndcg_at_10"
    training = Training(
        nets=("transformer",),
        noun="histories",
        batch=128,
        rate=2.0,
        keep_best=True,
        measured={"top": 100, "because": 0},
        quick={"top": 10},
        terms="wanted",
        hold_out=_hold_out,
        weights=_weights,
    )

    catalogue_: bytes
    counts_: bytes
    mix_: Sequence[float] = FIRST_GUESS  # weights of the parts
    repeated_: float = 0.0  # share of choices that had been made before
    described: Described = {}  # of a table of items, until `fit` has learned from it
    ids: Mapping[str, str] = {}  # name of an item -> the data's id, where these differ
    learned_from: Sequence[Example] = ()  # what `fit` was given
    _asked: tuple[Catalogue, dict[str, Any]] | None = None  # the fields of a catalogue
    gathering: list[Array] | None = None  # while the weights are learned: what `decode` puts its parts into

    @as_learned({"history": Items(HISTORY)})
    def fields(self) -> dict[str, Any]:
        if not hasattr(self, "catalogue_"):
            return {"history": Items(HISTORY)}
        if self._asked is None or self._asked[0] is not self.known:  # made once: it is asked for with every example
            self._asked = self.known, {"history": Items(HISTORY, names=tuple(self.known.names[:1000]))}
        return self._asked[1]

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.events import read_histories

        learned = hasattr(self, "catalogue_")
        read = read_histories(paths, columns, self.config.min_rating, self.config.split, whole=not learned)
        users = {e.get("user") for e in read.examples if not learned}
        if len(users) == 1 and None not in users:
            raise DataError(f"{paths[0]}: expected the choices of many users, received those of one, {users.pop()!r}.")
        if not learned:
            self.described, self.ids = read.described, read.ids
        return read.examples, read.lines

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples import recommendation as samples

        if not hasattr(self, "catalogue_"):
            self.described, self.ids = samples.catalogue(), {}
        return [{"history": history[:-1], "next": history[-1]} for history in samples.histories(split)]

    def keys(self, example: Example) -> list[str]:
        return ["\n".join([*example["history"], example["next"]])]

    def fit(self, examples: Sequence[Example]) -> None:
        self.learned_from = examples
        sequences = [_sequence(examples[i]) for i in _longest(examples)]
        self.catalogue_ = Catalogue.learn([i for s in sequences for i in s], self.described, self.ids).dump()
        for name in ("known", "mix_"):  # caches of an earlier fit
            vars(self).pop(name, None)
        self._count(sequences)
        again = sum(len(s) - len(set(s)) for s in sequences)
        self.repeated_ = round(again / max(1, sum(map(len, sequences))), 4)

    def _count(self, sequences: Sequence[Sequence[str]]) -> None:
        numbers = {name: n for n, name in enumerate(self.known.names)}
        histories = [np.array([numbers[name] for name in s if name in numbers], np.int64) for s in sequences]
        self.counts_ = Counts.learn(histories, len(self.known)).dump()
        vars(self).pop("counts", None)

    @cached_property
    def known(self) -> Catalogue:
        return Catalogue.load(self.catalogue_)

    @cached_property
    def counts(self) -> Counts:
        return Counts.load(self.counts_)

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        """items (T,): ids, the start first; words (U, 8) of those without one; seen (S,): all that are known, from 1."""
        history, items, words = example["history"], [START], []
        places = self.known.places(history)
        for name, at in zip(history[-self.config.window :], places[-self.config.window :], strict=True):
            if at is not None:
                items.append(FIRST + at)
            elif spoken := self.known.spoken(name)[:SPOKEN]:
                items.append(UNKNOWN)
                words.append([*spoken, *[0] * (SPOKEN - len(spoken))])
        seen = [at + 1 for at in places if at is not None]
        return {
            "items": np.array(items, np.int32),
            "words": np.array(words, np.int32) if words else NO_WORDS,
            "seen": np.array(seen or [0], np.int32),
        }

    def prompt(self, example: Example) -> Arrays:
        known = [FIRST + at for at in map(self.known.find, _sequence(example)) if at is not None]
        return {"sequence": np.array([START, *known], np.int32)}

    def targets(self, example: Example) -> Arrays:
        return {}  # every item of the sequence is the target of those before it

    # ---- net ---------------------------------------------------------------------------------------------------

    def build(self) -> "nn.Module":
        import torch

        from lamella.nets.transformer.items import NextItem

        c, size, catalogue = self.config, self.size, self.known
        most = max(1, *map(len, catalogue.words))
        words = [[*ids, *[0] * (most - len(ids))] for ids in catalogue.words]
        return NextItem(
            torch.tensor(words),
            catalogue.chosen,
            len(catalogue.vocabulary) + 1,
            size.width // 2,
            min(2, size.depth),
            min(2, size.heads),
            c.window,
            c.dropout,
            c.item_dropout,
        )

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.losses import tied_cross_entropy

        return tied_cross_entropy(outputs["hidden"], outputs["table"], outputs["wanted"])

    # ---- answers -----------------------------------------------------------------------------------------------

    @property
    def again(self) -> bool:
        """Whether what was chosen already is recommended."""
        return self.config.repeats == "yes" or self.config.repeats == "learned" and self.repeated_ >= REPEATED

    def _parts(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Array]:
        """Of each row the logarithms by each part (5, V), minus infinity for what cannot be recommended."""
        scores = self._scores(graphs, inputs)
        chosen, rows = self.known.chosen, []
        for own, seen in zip(scores, inputs["seen"], strict=True):
            counted = np.stack([part.reshape(-1) for part in self.counts.logs(seen[None])])
            parts = np.concatenate([_log_softmax(own)[None], counted])  # (5, V)
            if chosen < len(own):  # nothing was counted of these: as if they were like any other
                parts[1:, chosen:] = parts[1:, :chosen].mean(axis=1, keepdims=True)
            if not self.again:
                parts[:, seen[seen > 0] - 1] = FORBIDDEN
            rows.append(parts)
        return rows

    def _scores(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> Array:
        """What the net says, (B, V)."""
        return mixture.net_scores(graphs["next"], inputs["items"], inputs["words"], FIRST, UNKNOWN)

    def _logs(self, parts: Array) -> Array:
        """Parts (5, V) -> log-probabilities (V,)."""
        allowed = np.isfinite(parts[0])
        mixed = np.full(parts.shape[1], FORBIDDEN)
        mixed[allowed] = np.array(self.mix_) @ parts[:, allowed]
        return _log_softmax(mixed) if allowed.any() else mixed

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        if self.gathering is not None:
            self.gathering += self._parts(graphs, inputs)
            return [{"items": [], "unknown": []} for _ in inputs["items"]]
        if c := self.config.because:
            return self._with_reasons(graphs, inputs, c)
        names, scores = self.known.names, self._scores(graphs, inputs)
        total = mixture.mixed(scores, inputs["seen"], self.counts, self.mix_, self.known.chosen, self.again)
        best, shares = best_of(total, self.config.top), mixture.shares_of(total)
        likely = np.take_along_axis(shares, best, axis=1).astype(np.float64).round(5).tolist()
        left = np.isfinite(np.take_along_axis(total, best, axis=1)).sum(axis=1).tolist()  # what cannot be comes last
        return [
            {
                "items": [{"item": names[i], "probability": p} for i, p in zip(own[:n], some, strict=False)],
                "unknown": [],
            }
            for own, some, n in zip(best.tolist(), likely, left, strict=True)
        ]

    def _with_reasons(self, graphs: Mapping[str, GraphLike], inputs: Arrays, most: int) -> list[Answer]:
        """The same with at most so many items of the history as reasons of each recommendation."""
        answers: list[Answer] = []
        for at, parts in enumerate(self._parts(graphs, inputs)):
            logs, row = self._logs(parts), {name: array[at] for name, array in inputs.items()}
            best = np.argsort(-logs, kind="stable")[: self.config.top]
            best = best[np.isfinite(logs[best])]
            items = [
                {"item": self.known.names[i], "probability": round(float(np.exp(logs[i])), 5), "because": why}
                for i, why in zip(best, self._reasons(graphs, row, best, logs[best], most), strict=True)
            ]
            answers.append({"items": items, "unknown": []})
        return answers

    def _reasons(
        self, graphs: Mapping[str, GraphLike], row: Arrays, best: Array, logs: Array, most: int
    ) -> list[list[str]]:
        """Of each recommendation at most so many items of a history without which it is least likely, the weightiest first."""
        history = [self.known.names[i - 1] for i in row["seen"][row["seen"] > 0]]
        tried = list(dict.fromkeys(history[-TRIED:]))
        if not tried:
            return [[] for _ in best]
        without = [self.inputs({"history": [name for name in history if name != gone]}) for gone in tried]
        others = np.stack([self._logs(parts)[best] for parts in self._parts(graphs, self.collate(without))])
        lost = logs - others  # (items of the history, recommendations)
        order = np.argsort(-lost, axis=0, kind="stable")[:most]
        return [[tried[i] for i in order[:, k] if lost[i, k] > 0] for k in range(len(best))]

    def answers(self, examples: Sequence[Example], run: Run) -> list[Answer]:
        answers = run(examples)
        for example, answer in zip(examples, answers, strict=True):
            answer["unknown"] = self.known.missing(example["history"])
        return answers

    def excerpt(self, example: Example) -> tuple[Example, str]:
        """The end of a long history, which is all that the net reads."""
        window = min(self.config.window, 60)
        if len(example["history"]) <= window:
            return example, ""
        return {**example, "history": example["history"][-window:]}, f"The latest {window} items are explained."

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """The log-odds of the first recommendations, one by one: which item of the history each of them stands on."""
        names = [entry["item"] for entry in answer["items"][:EXPLAINED]]
        places = [at for at in map(self.known.find, names) if at is not None]
        if not places:
            raise UsageError("nothing was recommended that could be explained. Give a history that leaves something.")
        rows = []
        for parts in self._parts(graphs, inputs):
            logs = self._logs(parts)[None]
            rows.append([float(np.clip(log_odds(logs, at)[0], -30.0, 30.0)) for at in places])
        details = partial(self._details, graphs, inputs, answer)
        return Focus("log-odds of what is recommended", np.array(rows), names, details=details)

    def _details(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> dict[str, Any]:
        """Because of these items: what was counted of them and a recommendation, and where it stands without them."""
        [parts] = self._parts(graphs, inputs)
        row = {name: array[0] for name, array in inputs.items()}
        places = [at for entry in answer["items"][:REASONED] if (at := self.known.find(entry["item"])) is not None]
        history = [int(i) - 1 for i in row["seen"] if i > 0]
        reasons = self._reasons(graphs, row, np.array(places, int), self._logs(parts)[places], 1)
        given, sentences = [], []
        for at, why in zip(places, reasons, strict=True):
            if not why:
                continue
            name, because = self.known.names[at], why[0]
            left = self.inputs({"history": [self.known.names[i] for i in history if self.known.names[i] != because]})
            [without] = self._parts(graphs, self.collate([left]))
            rank = 1 + int((self._logs(without) > self._logs(without)[at]).sum())
            before = places.index(at) + 1
            moved = f"falls from place {before} to {rank}" if rank > before else f"stays at place {before}"
            sentences.append(f"Without {because}, {name} {moved}.")
            counted = self.counts.evidence(at, [self.known.find(because) or 0])[0][1:]
            said = [
                word for word, count in zip(("is followed by", "is chosen with"), counted, strict=True) if count > 0
            ]
            given.append({"rule": f"{name}: because of {because}", "facts": [[because, word, name] for word in said]})
        if not given:
            return {}
        return {"kind": "reasons", "title": "Because of these items", "reasons": given, "sentence": " ".join(sentences)}

    # ---- scores ------------------------------------------------------------------------------------------------

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """The weights of the parts, by what was chosen next in histories that were kept aside, which then are counted too."""
        most = max(50, WEIGHED // (len(FIRST_GUESS) * len(self.known)))
        usable = [e for e in examples if self._can_answer(e)][:most]
        if not usable:
            return
        parts = []
        for example in usable:  # one at a time: a batch has an order of its own
            self.gathering = []
            run([example])
            parts.append(self.gathering[0].astype(np.float32))
        self.gathering = None
        wanted = np.array([self.known.find(e["next"]) for e in usable])
        self.mix_ = weigh(np.stack(parts), wanted)
        if self.learned_from:  # the weights are learned: now what they were learned from may be counted too
            every = [*self.learned_from, *examples]
            self._count([_sequence(every[i]) for i in _longest(every)])

    def _can_answer(self, example: Example) -> bool:
        return self.known.find(example["next"]) is not None and (
            self.again or example["next"] not in example["history"]
        )

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """What is chosen most often, without what was chosen already."""
        often = self.known.names[: self.config.top + max(len(e["history"]) for e in examples)]
        answers = []
        for example in examples:
            seen = set() if self.again else set(example["history"])
            answers.append({"items": [{"item": name} for name in often if name not in seen][: self.config.top]})
        return answers

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        names = self.known.names
        wanted = [names[at] if (at := self.known.find(e["next"])) is not None else "" for e in examples]
        ranked = [[entry["item"] for entry in answer["items"]] for answer in answers]
        return ranking.next_items(ranked, wanted, len(names))

    def render(self, answer: Answer) -> str:
        shown = []
        for entry in answer["items"]:
            why = f" (because of {', '.join(entry['because'])})" if entry.get("because") else ""
            shown.append(f"{entry['item']} {entry['probability']:.3f}{why}")
        line = "; ".join(shown) or "nothing is left to recommend"
        unknown = f" | not known: {', '.join(answer['unknown'])}" if answer["unknown"] else ""
        return " ".join((line + unknown).split())


def _sequence(example: Example) -> list[str]:
    return [*example["history"], example["next"]]


def _longest(examples: Sequence[Example]) -> list[int]:
    """The places of the examples that no other one of the same user goes on from."""
    longest: dict[str, int] = {}
    for at, example in enumerate(examples):
        user = f"user {example['user']}" if "user" in example else f"example {at}"
        if user not in longest or len(example["history"]) > len(examples[longest[user]]["history"]):
            longest[user] = at
    return sorted(longest.values())


def _log_softmax(scores: Array) -> Array:
    """Scores (V,) -> log-probabilities (V,); minus infinity stays."""
    above = scores.astype(np.float64) - scores.max()
    return np.asarray(above - np.log(np.exp(above).sum()))
