"""Explanations of one answer: units, oracles with known weights, planted causes, checks."""

from __future__ import annotations

import json
import random
import sys
from itertools import permutations
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

import lamella
from lamella.explain import ablation, answer, faithfulness
from lamella.explain.ablation import Question
from lamella.fields import Number, Row, Text
from lamella.fields.image import ImageParts
from lamella.fields.row import RowParts
from lamella.fields.series import SeriesParts, blocks
from lamella.fields.text import MOST, TextParts
from lamella.task import Focus, Task

WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")


# --- units


def test_words_are_left_out_with_one_space_and_nothing_else_is_touched():
    parts = TextParts("  Don't  stop,\nplease! ")
    labels = [u["label"] for u in parts.units]
    assert labels == ["Don't", "stop", ",", "please", "!"]
    assert all(parts.text[u["start"] : u["end"]] == u["label"] for u in parts.units)
    assert parts.without(()) == parts.text, "nothing taken away is nothing changed"
    assert parts.without({3}) == "Don't  stop,\n!" and parts.without({1}, True) == "  Don't  _,\nplease! "
    assert parts.without(range(5)) == ""
    assert [u["label"] for u in TextParts("今日is日").units] == ["今", "日", "is", "日"]


@pytest.mark.parametrize("text", ["", " ", "🎉", "word " * 500, "_" * 40, "a\n\nb"])
def test_any_text_has_a_bounded_count_of_units_which_hold_all_but_spaces(text):
    parts = TextParts(text)
    assert len(parts.units) <= MOST
    assert "".join(u["label"] for u in parts.units).replace(" ", "") == "".join(text.split())


def test_steps_of_a_series_are_finest_at_the_end():
    assert blocks(60) == list(range(61))
    for length in (61, 75, 100, 1000, 5000):
        edges = blocks(length)
        widths = np.diff(edges)
        assert edges[0] == 0 and edges[-1] == length and len(widths) <= MOST and (widths > 0).all()
        assert (widths[-40:] == 1).all() and (np.diff(widths[:-40]) <= 1).all(), "never much longer than the one before"
    parts = SeriesParts("1, 9 3 4")
    assert parts.without({0, 1}) == [3, 3, 3, 4] and parts.without({1}, True) == [1, 1, 3, 4]
    assert parts.without(range(4)) == [4.25] * 4


def test_patches_get_the_colour_of_the_edge():
    points = np.full((20, 20), 30, np.uint8)
    points[8:12, 8:12] = 250
    parts = ImageParts(points)
    assert len(parts.units) == 25 and parts.units[12] == {"label": "row 3, column 3", "row": 2, "column": 2}
    assert (parts.without({12}) == 30).all() and (parts.without(()) == points).all()
    assert parts.shown().startswith("data:image/png;base64,")


def test_rows_of_a_table_are_units_by_column():
    named = Row().split({"a": 1, "b": "x"})
    assert isinstance(named, RowParts) and named.without({0}) == {"a": None, "b": "x"}
    assert Row().split("3.5, x").without({1}) == "3.5," and Row().split('{"a": 1}').without({0}) == {"a": None}
    number = Number().split(4.0, 2.5)
    assert number.without({0}) == 2.5 and number.without(()) == 4.0 and Number().split(4.0).units == []


# --- oracles: tasks whose focus is known


class Formula(Task):
    """The focus is a function of which words are there."""

    fields = {"text": Text()}
    answer = Number()
    target = "value"

    def __init__(self, formula, parts=()):
        super().__init__(msgspec.defstruct("Config", [])())
        self.formula, self.parts = formula, parts

    def inputs(self, example):
        return {"words": np.array([float(w in example["text"].split()) for w in "abcdef"])}

    def focus(self, graphs, inputs, answer):
        return Focus("formula", np.array([self.formula(*row) for row in inputs["words"]]), self.parts)


def asked(formula, text="a b c d e f", parts=()):
    model = SimpleNamespace(task=Formula(formula, parts), graphs={}, predict=lambda example: 1.0)
    return Question(model, {"text": text})


def test_weights_of_a_sum_are_its_terms():
    question = asked(lambda a, b, c, d, e, f: 3 * a - 2 * b + 0.5 * c + 7)
    terms = [3, -2, 0.5, 0, 0, 0]
    single = ablation.ablate(question)
    assert single[:, 0].tolist() == terms and question.value == 8.5
    assert ablation.shapley(question).tolist() == pytest.approx(terms)
    assert ablation.pairs(question) == []


def test_weights_are_means_over_all_orders():
    """The definition (Shapley, 1953), summed over all 24 orders of four words."""

    def formula(a, b, c, d, e, f):
        return 3 * a * b + 2 * max(b, c) - a * c * d + d

    question, exact = asked(formula, "a b c d"), np.zeros(4)
    for order in permutations(range(4)):
        there = np.ones(6)
        for unit in order:
            before = formula(*there)
            there[unit] = 0
            exact[unit] += (before - formula(*there)) / 24
    assert ablation.shapley(question, rounds=400) == pytest.approx(exact, abs=0.1)
    assert ablation.shapley(question, rounds=1).sum() == pytest.approx(question.value), "an empty text has 0"
    assert ablation.shapley(asked(formula, "a")).tolist() == [0] and not len(ablation.shapley(asked(formula, "")))


def test_pairs_show_what_single_units_hide():
    question = asked(lambda a, b, c, d, e, f: 4 * max(b, e) + a)
    single = ablation.ablate(question)[:, 0]
    assert single.tolist() == [1, 0, 0, 0, 0, 0]
    assert ablation.pairs(question) == [(1, 4, 4.0)]
    assert ablation.shapley(question).tolist() == pytest.approx([1, 2, 0, 0, 2, 0]), "each stands in for the other"


def test_each_part_of_an_answer_has_its_own_units():
    question = asked(lambda a, b, c, d, e, f: [a, 2 * b - c], parts=["one", "two"])
    parts = ablation.ablate(question).T
    assert parts.tolist() == [[1, 0, 0, 0, 0, 0], [0, 2, -1, 0, 0, 0]]
    assert ablation.shapley(question).tolist() == pytest.approx([1, 2, -1, 0, 0, 0])
    found = answer.alignment(question, parts)
    assert found["rows"] == ["one", "two"] and found["columns"] == list("abcdef")
    assert found["weights"] == [[1, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0, 0]]


def test_a_true_explanation_passes_the_check_and_a_false_one_does_not():
    question = asked(lambda a, b, c, d, e, f: 8 * a + 4 * b + 2 * c + d + 0.5 * e + 0.1 * f)
    true = np.array([8, 4, 2, 1, 0.5, 0.1])
    good, bad = faithfulness.check(question, true), faithfulness.check(question, -true)
    assert good["deletion"] < good["random"] < bad["deletion"]
    assert good["insertion"] > good["random insertion"] > bad["insertion"]
    assert good["deletion"] + good["insertion"] == pytest.approx(1), "of a sum, what is away and what is there are all"
    assert "1.6 without the 3 words that count most" in good["sentence"]
    assert "sentence" in faithfulness.check(asked(lambda *row: row[0], "a"), np.array([1.0]))


# --- planted causes: one unit decides, and the explanation must find it


def planted_words(split: str, count: int):
    chance = random.Random(split)
    words = [a + b for a in ("mel", "tor", "san", "vik", "lur") for b in ("a", "en", "ok", "is", "um", "ark")]
    found = []
    for _ in range(count):
        label = chance.choice(["granite", "velvet"])
        text = chance.sample(words, chance.randrange(5, 12))
        text.insert(chance.randrange(len(text) + 1), label)
        found.append({"text": " ".join(text), "label": f"with {label}"})
    return found


def planted_patches(split: str, count: int):
    """A white or a black patch decides; two of black and white points strike a net as much that has learned nothing."""
    from lamella.data.media.images import encode_png

    chance = np.random.default_rng(len(split))
    found = []
    for _ in range(count):
        points, light = chance.integers(90, 170, (20, 20)), chance.integers(2)
        at, *decoys = chance.permutation(25)[:3]
        for unit, patch in ((at, 255 * light), *((d, 255 * chance.integers(0, 2, (4, 4))) for d in decoys)):
            row, column = divmod(unit, 5)
            points[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = patch
        label = "light" if light else "dark"
        found.append({"image": encode_png(points.astype(np.uint8)), "label": label, "at": int(at)})
    return found


def planted_lags(split: str, count: int):
    chance = np.random.default_rng(len(split))
    days = chance.normal(size=(3 * count, 14)).round(2)
    # What lies between its neighbours is not missed when it is taken away.
    days = days[np.abs(days[:, -6] - (days[:, -7] + days[:, -5]) / 2) > 0.5][:count]
    return [{"past": " ".join(map(str, row)), "tomorrow": float(row[-6])} for row in days]


PLANTED = {
    "text-classification": (planted_words, {"steps": 30, "vocabulary_size": 300, "strength": 1.0}),
    "image-classification": (planted_patches, {"steps": 150, "translate": 0, "rotate": 0, "scale": 0}),
    WEATHER: (planted_lags, {"steps": 400, "rate": 0.01}),
}


@pytest.fixture(params=PLANTED, ids=lambda word: Path(word).stem)
def planted(request, once):
    """A model of data where one unit decides, and more of the same data."""
    make, how = PLANTED[request.param]

    def trained(folder: Path) -> None:
        beside = folder.with_name(f"{folder.name}.jsonl")
        beside.write_text("".join(json.dumps(e) + "\n" for e in make("learn", 600)))
        lamella.train(request.param, str(beside), out=str(folder), size="tiny", threads=1, tell=lambda _: None, **how)

    folder = once(f"planted-{Path(request.param).stem}", trained)
    outside = {"task": request.param} if request.param == WEATHER else {}
    return lamella.load(folder, **outside), make("test", 40)


def is_cause(example, label) -> bool:
    if "past" in example:
        return label == "-6"
    if "image" in example:
        return label == f"row {example['at'] // 5 + 1}, column {example['at'] % 5 + 1}"
    return label in example["label"].split()


def explained(model, examples, **how):
    """Of each example the units with their weights, the heaviest first."""
    fields = model.task.fields
    return [dict(u[1:] for u in model.explain({k: e[k] for k in fields}, **how).top(99)) for e in examples]


def found_share(examples, units) -> float:
    return float(np.mean([is_cause(e, next(iter(each))) for e, each in zip(examples, units, strict=True)]))


def test_the_planted_cause_is_found(planted):
    model, examples = planted
    assert found_share(examples, explained(model, examples)) >= 0.95


def test_gradients_find_the_planted_cause_too(planted):
    model, examples = planted
    assert found_share(examples[:10], explained(model, examples[:10], method="gradients")) >= 0.9


def test_an_untrained_net_is_explained_otherwise(planted):
    """The sanity check of Adebayo et al. (2018): what does not depend on what was learned explains nothing."""
    import torch

    from lamella.train.export import export_graphs

    model, examples = planted
    torch.manual_seed(3)
    model.task.solution = None  # of a linear part: untrained it is zero
    blank = lamella.Model(model.manifest, {**model.files, **export_graphs(model.task.build())}, model.task, "untrained")
    examples = examples[:20]
    mine, other = explained(model, examples), explained(blank, examples)
    assert found_share(examples, other) <= 0.7 < 0.9 <= found_share(examples, mine)
    both = [([*a.values()], [b.get(k, 0) for k in a]) for a, b in zip(mine, other, strict=True) if len(a) > 2]
    same = [np.corrcoef(a, b)[0, 1] for a, b in both]
    assert np.nanmean(same) < 0.7


# --- gradients


def test_gradients_add_up_to_the_difference_of_the_losses(trained):
    """The axiom of completeness (Sundararajan et al., 2017), on a net that is straight but for its rectifiers."""
    from lamella.explain import gradients

    model = lamella.load(trained(WEATHER), task=WEATHER)
    question = Question(model, model.task.sample("test")[0])
    weights, about = gradients.integrate(question)
    empty = question.without(set(range(14)))
    wanted = gradients.with_answer(model.task, empty, question.answer)
    net = gradients.rebuilt(question)
    batch = gradients._tensors(model.task, {**model.task.inputs(empty), **model.task.targets(wanted)})
    start = -float(model.task.loss(net(past=batch["past"]), batch))
    assert weights.sum() == pytest.approx(about["here"] - start, rel=0.02)


def test_gradients_say_when_they_cannot(trained):
    model = lamella.load(trained(WEATHER), task=WEATHER)
    model.manifest.precision = "int8"
    with pytest.raises(lamella.UsageError, match="ablation"):
        model.explain("sample", method="gradients")
    with pytest.raises(lamella.UsageError, match="expected ablation or gradients"):
        model.explain("sample", method="magic")


def test_gradients_without_torch(trained, monkeypatch):
    model = lamella.load(trained(WEATHER), task=WEATHER)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(lamella.MissingExtra, match=r"pip install 'lamella\[train\]'"):
        model.explain("sample", method="gradients")


# --- translation


def test_the_alignment_of_a_translation():
    from lamella.model.shipped import translator

    found = lamella.explain(translator("en", "fr"), "I have never seen such a beautiful house. It is big.")
    assert found["notes"] == ["The first of 2 sentences is explained; each is translated by itself.", ablation.SHAPLEY]
    about = found["attention"]
    best = {row: about["columns"][int(np.argmax(w))] for row, w in zip(about["rows"], about["weights"])}
    for word, source in (("jamais", "never"), ("vu", "seen"), ("Je", "I")):
        assert best[word] == source
    assert found["focus"]["value"] < 0 and found["faithfulness"]["deletion"] < found["faithfulness"]["random"]
