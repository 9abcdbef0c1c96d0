"""What was counted in a text, and the net and the counts together."""

from __future__ import annotations

import copy
import json
import random

import numpy as np
import pytest

import lamella
from lamella.data.samples import fill_mask as samples
from lamella.errors import ModelError
from lamella.tasks.fill_mask import cloze, mixture
from lamella.tasks.fill_mask.counts import BETWEEN, CONTEXTS, LEFT, NEAREST, RIGHT, STEPS, Counts, discounted
from lamella.tasks.fill_mask.joint import Joint, masked
from lamella.tasks.fill_mask.passages import Passages
from lamella.tasks.fill_mask.search import Filler, Text

TALES = ["The cat drinks cold milk.", "The dog drinks cold water.", "The cat drinks cold milk at night."] * 2 + [
    "Cold cat."
]


def spell(words):
    """Each letter is a piece: 4 and on after a space, 60 and on without one."""
    return [([4 + ord(w[0]) % 50], [60 + ord(w[0]) % 50]) for w in words]


@pytest.fixture
def counts():
    return Counts.load(Counts.learn(TALES, spell, 1_000_000).dump(), 200)


def words(counts, row):
    return {counts.words[i]: float(n) for i, n in zip(*row, strict=True)}


# --- counted


def test_words_are_counted_by_what_stands_around_them(counts):
    assert set(counts.words) == {"The", "cat", "dog", "drinks", "cold", "milk", "water", "at", "night", "Cold"}
    assert dict(zip(counts.words, counts.often.tolist(), strict=True))["drinks"] == 6
    around = ["", "", "The", "cat", "drinks"], ["milk", "at", "night", ".", ""]
    assert words(counts, counts.row((-1,), *around)) == {"cold": 6}
    assert words(counts, counts.row((-2, -1), ["", "drinks", "cold"], [".", "", ""])) == {"milk": 4, "water": 2}
    assert words(counts, counts.row((-1, 1), ["", "", "cold"], ["at", "", ""])) == {"milk": 2}
    assert counts.row((1,), ["", "", "a"], ["never", "", ""]) is None
    assert words(counts, counts.row((-3, -2, -1), ["", "", ""], ["", "", ""])) == {"The": 6, "Cold": 1}, (
        "a passage begins"
    )


def test_a_small_size_leaves_out_what_was_seen_least():
    once = Counts.learn(["one two three four five six"], spell, 1_000_000)
    seen = {
        context: len(t.keys) + len(t.lone_keys) for context, t in once.tables.items() if len(t.keys) + len(t.lone_keys)
    }
    assert seen == dict.fromkeys(NEAREST, 6) | {(-2,): 1, (2,): 1}, "the edge is two words away twice"
    assert words(once, once.row((-1, 1), ["", "", "two"], ["four", "", ""])) == {"three": 1}
    again = Counts.learn([], spell, 1_000_000, once)
    assert words(again, again.row((-1, 1), ["", "", "two"], ["four", "", ""])) == {"three": 1}
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{'abcdefghij'[i]}" for i in rng.integers(0, 10, 50)) for _ in range(200)]
    large, small = (Counts.learn(texts, spell, most) for most in (1_000_000, 20_000))
    sizes = [sum(t.size for t in c.tables.values()) for c in (large, small)]
    assert sizes[0] > 40_000 and sizes[1] <= 20_000 and len(small.words) == 10


def test_how_often_fits_a_byte():
    assert np.diff(STEPS).min() > 0 and STEPS[127] == 127 and STEPS[-1] > 800_000
    many = Counts.learn(["a b"] * 10_000, spell, 1_000_000)
    [often] = many.row((-1,), ["", "", "a"], ["", "", ""])[1]
    assert abs(often / 10_000 - 1) < 0.05


def test_counts_go_on_with_another_text(counts):
    more = Counts.learn(["The cat drinks cold tea."] * 3, spell, 1_000_000, counts)
    row = more.row((-1,), ["", "", "cold"], ["", "", ""])
    assert words(more, row) == {"milk": 4, "water": 2, "cat": 1, "tea": 3}, "capitals do not count"
    assert dict(zip(more.words, more.often.tolist(), strict=True))["cat"] == 8


def test_contexts_of_a_side_go_from_the_shortest_to_the_longest(counts):
    likely, level = counts.side(LEFT, ["The", "cat", "drinks"], ["", "", ""])
    assert level == 3 and counts.words[int(likely.argmax())] == "cold" and likely.sum() == pytest.approx(1, abs=1e-5)
    likely, level = counts.side(RIGHT, ["", "", ""], ["milk", "never", "seen"])
    assert level == 1 and counts.words[int(likely.argmax())] == "cold"
    assert counts.side(LEFT, ["", "", "never"], ["", "", ""])[1] == 0


def test_a_row_mixes_with_a_shorter_one():
    out = discounted(np.array([0.5, 0.3, 0.2], np.float32), (np.array([1]), np.array([4.0], np.float32)))
    assert out.sum() == pytest.approx(1) and out.argmax() == 1 and (out > 0).all()


@pytest.mark.parametrize(
    "harm", ["cut", "longer", "no head", "words", "levels", "pieces", "order", "lone", "many", "negative", "passages"]
)
def test_damaged_counts_are_refused(counts, harm):
    table = counts.tables[(-1,)]
    if harm == "words":
        table.words = np.full_like(table.words, 9000)
    elif harm == "levels":
        table.levels = np.zeros_like(table.levels)
    elif harm == "order":
        table.keys = table.keys[::-1].copy()
    elif harm == "lone":
        counts = Counts.learn([*TALES, "Owls hunt moths."], spell, 1_000_000)
        counts.tables[(-1, 1)].lone_words = np.full(len(counts.tables[(-1, 1)].lone_words), 99)
        assert len(counts.tables[(-1, 1)].lone_words)
    elif harm == "passages":
        counts.passages.words = np.full_like(counts.passages.words, 99)
    raw = counts.dump()
    if harm == "cut":
        raw = raw[:-4]
    elif harm == "longer":
        raw += b"1234"
    elif harm == "no head":
        raw = b"\x00" * 100
    elif harm == "many":
        raw = raw.replace(b'"words":10', b'"words":99999999999', 1)
    elif harm == "negative":
        raw = raw.replace(b'"words":10', b'"words":-10', 1)
    with pytest.raises(ModelError, match=r"Do not use this model|Copy the model again"):
        Counts.load(raw, 5 if harm == "pieces" else 200)


def test_passages_that_are_alike_say_which_words_are_likely(counts):
    assert len(counts.passages) == 7 and counts.passages.size < 200
    likely = np.exp(counts.alike({"night", "at", "never seen"}))
    assert likely[counts.ids["milk"]] > 3 * likely[counts.ids["water"]]
    often = np.exp(counts.alike([]))
    assert often.sum() == pytest.approx(1, abs=1e-4), "nothing in common: how many passages have each word"
    more = Counts.learn(["Owls hunt moths at night."], spell, 1_000_000, counts)
    assert len(more.passages) == 8
    assert np.exp(more.alike({"hunt"})).argmax() in {more.ids[w] for w in ("Owls", "hunt", "moths", "at", "night")}
    assert len(Counts.learn(TALES * 50, spell, 2000).passages) < 100, "they are kept within the bytes"


def test_counts_of_an_earlier_version_have_no_passages(counts):
    counts.passages, counts.folded = Passages(np.zeros(0, np.int64), np.zeros(0, np.uint16), len(counts.words)), False
    added = b',"passages":[0,0],"folded":false}'
    raw = counts.dump()
    assert added in raw
    old = Counts.load(raw.replace(added, b"}" + b" " * (len(added) - 1), 1), 200)
    assert not old.folded and not len(old.passages) and not old.alike({"night"}).any()
    assert not Counts.learn(["Owls hunt."], spell, 1_000_000, old).folded, "what goes on with them finds their contexts"
    mix = (*mixture.FIRST_GUESS[: mixture.WEIGHTS - mixture.LATER], *mixture.FIRST_GUESS[mixture.WEIGHTS :])
    kinds = cloze.Kinds(np.array([0, 3, 3, 3, *[1] * 56, *[2] * 60]), [""] * 120)
    assert Joint(Filler({"fill": flat}, kinds, [0.9, 0.1], 3, 16), old, mix, spell).mix[mixture.WEIGHTS - 1] == 0


def test_capitals_of_contexts_do_not_count_and_the_words_beside_the_same_word_are_likelier(counts):
    one, other = (counts.row((-1,), ["", "", word], ["", "", ""]) for word in ("drinks", "DRINKS"))
    assert words(counts, one) == words(counts, other) == {"cold": 6}
    found = mixture.again(counts, ["", "cold", "milk", "The", "Cold"], ["at", "night", "water", "At"])
    assert {counts.words[i] for i in np.flatnonzero(found[0])} == {"milk"}
    assert {counts.words[i] for i in np.flatnonzero(found[1])} == {"water"}


# --- together


def flat(pieces, asked):
    return {"log_probability": np.full((len(pieces), 120), -np.log(120), np.float32)}


@pytest.fixture
def joint(counts):
    text = ["<pad>", "<unk>", "<s>", "</s>", *("▁" + chr(65 + n) for n in range(56)), *["x"] * 60]
    kinds = cloze.Kinds(np.array([0, 3, 3, 3, *[1] * 56, *[2] * 60]), text)
    return Joint(Filler({"fill": flat}, kinds, [0.9, 0.1], 3, 16), counts, mixture.FIRST_GUESS, spell)


def around(joint, left, right):
    joint.around = lambda text: (left, right)
    return Text(0, [[10], [11]], [False])


def test_all_words_and_the_new_ones_have_the_probability_one(joint, counts):
    text = around(joint, ["", "The", "cat"], ["cold", "milk", "."])
    [likely] = joint.likely([text])
    assert likely.sum() == pytest.approx(1 - counts.new, abs=1e-4) and (likely > 0).all()
    assert counts.words[int(likely.argmax())] == "drinks"
    [found] = joint.words([text], 3, 4, 4)
    assert len(found) == 3 and found[0][1] == pytest.approx(np.log(likely.max()), abs=1e-4)


def test_what_stood_between_two_words_is_mixed_in(joint, counts):
    row = counts.row(BETWEEN[0], ["", "The", "cat"], ["cold", "", ""])
    assert words(counts, row) == {"drinks": 4}
    parts = np.zeros((len(mixture.PARTS), 10))
    found = mixture.Evidence(parts, list(mixture.STARTS), [(0, row)])
    mix = [*[0.0] * mixture.WEIGHTS, 0.25, *[0.0] * (mixture.SHARES - 1)]
    assert mixture.likely(mix, found)[row[0][0]] == pytest.approx(0.25 + 0.75 / 10)


def test_weights_go_to_the_part_that_is_right():
    rng, masks = np.random.default_rng(1), []
    for n in range(300):
        parts = rng.normal(size=(len(mixture.PARTS), 30)).astype(np.float32)
        right = int((parts[0] + 0.3 * rng.normal(size=30)).argmax())
        row = np.array([right if n % 2 else (right + 1) % 30]), np.array([2.0], np.float32)
        found = mixture.Evidence(parts, list(mixture.STARTS), [(0, row)])
        masks.append(mixture.seen(found, right, mixture.FIRST_GUESS, n))
    mix = mixture.weigh(masks)
    assert mix[0] > 2 * mixture.FIRST_GUESS[0] and abs(mix[mixture.STARTS[1]]) < 0.3
    assert mix[mixture.WEIGHTS] > 0.1 and mixture.weigh([]) == list(mixture.FIRST_GUESS)


def test_words_are_masked_one_at_a_time():
    rows = masked(["The cat sat on the mat.", "A {} there.", "mp3 and don't"])
    assert rows[1] == ("The ___ sat on the mat.", "cat") and ("mp3 ___ don't", "and") in rows and len(rows) == 7
    assert len(masked(["the cat sat " * 1000] * 3)) < 1500


# --- a trained model


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("counted")
    (folder / "tales.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in generated(800)))
    held = json.dumps({"text": "At noon the old ___ hunts moths.", "words": "owl"}) + "\n"
    (folder / "test.jsonl").write_text(held * 12)
    given = {"test": [str(folder / "test.jsonl")], "out": str(folder / "model"), "size": "tiny", "threads": 1}
    lamella.train("fill-mask", str(folder / "tales.jsonl"), steps=8, **given)
    return lamella.load(folder / "model")


def generated(count):
    """Tales of two sentences of the sample."""
    rng, seen = random.Random(3), {}
    while len(seen) < count:
        seen[f"{samples._sentence(rng)} {samples._sentence(rng)}"] = None
    return list(seen)


def test_a_model_answers_with_what_it_counted(model):
    assert "counts.model" in model.manifest.files and len(model.task.mix_) == mixture.WEIGHTS + mixture.SHARES
    assert list(model.task.mix_) != list(mixture.FIRST_GUESS)
    owl = "At night the old ___ hunts moths in the forest."
    assert model.predict(owl)["words"] == ["owl"]
    assert model.predict("At night the old ___ hunts ___ in the forest.")["words"] == ["owl", "moths"]
    assert model.predict('The "___ hunts moths".')["words"] == ["owl"]
    sure = lamella.predict(model, owl, choices="owl,cow,bee")
    assert sure["words"] == ["owl"] and sum(f["probability"] for f in sure["fillings"]) == pytest.approx(1, abs=1e-3)
    odd = lamella.predict(model, owl.replace("___", "owl").replace("moths", "bananas"), ask="unlikely", top=2)
    assert "bananas" in [mark["word"] for mark in odd["marks"]]
    assert model.explain(owl).data["focus"]["name"] == "log-odds of owl"


def test_a_word_that_was_never_counted_is_unlikely_and_not_impossible(model):
    job = model.task
    filler = job._filler(model.graphs)
    ids = [job._spelt(word)[0] for word in ("owl", "lwo")]
    text = Text(0, [job._ids("At night the old"), job._ids("hunts moths.")], [False])
    known, new = filler.likelihood([text] * 2, ids)
    assert -60 < new < known - 5


def test_weights_that_are_no_numbers_are_refused(model):
    job = copy.copy(model.task)
    for odd in ([float("nan")] * len(job.mix_), job.mix_[1:]):
        job.mix_ = odd
        with pytest.raises(ModelError, match="weights of counts and net"):
            job._filler(model.graphs)


def test_without_counts_the_net_answers_alone(model, trained):
    alone = copy.copy(model.task)
    vars(alone)["counts_"] = b""
    assert type(alone._filler(model.graphs)) is Filler and type(model.task._filler(model.graphs)) is Joint
    short = lamella.load(trained("fill-mask"))  # of 2,700 words
    assert not short.task.counts_ and "counts.model" not in short.manifest.files and len(CONTEXTS) == 12


def test_a_model_that_goes_on_counts_the_other_text_too(model, tmp_path):
    letter = tmp_path / "letters.txt"
    rng = np.random.default_rng(0)
    days = [f"{a} {b}" for a in ("Early", "Late", "Once") for b in ("owls", "cows", "bees", "cats", "dogs", "hens")]
    rows = [f"{day} eat ripe bananas {where}." for day in days for where in ("here", "there", "at home", "outside")]
    letter.write_text("\n\n".join(" ".join(rng.permutation(rows)[:6]) for _ in range(60)))
    before = len(model.task.counts.words)
    other = lamella.train("fill-mask", str(letter), init=str(model.where), out=str(tmp_path / "m"), steps=2, threads=1)
    assert "ripe" in other.task.counts.ids and len(other.task.counts.words) > before
    assert other.predict("Early owls eat ripe ___ at home.")["words"] == ["bananas"]


def test_the_weights_are_better_than_the_guess_where_parts_say_nearly_the_same():
    rng = np.random.default_rng(1)
    masks = []
    for _ in range(60):
        one = rng.normal(0, 8, 40)
        one[0] += 8
        parts = np.stack([one + rng.normal(0, 0.01, 40) for _ in mixture.PARTS])
        masks.append(mixture.Seen(parts, np.zeros(40), mixture.STARTS, []))
    prior = np.array(mixture.FIRST_GUESS[: mixture.WEIGHTS])
    found = np.array(mixture.weigh(masks)[: mixture.WEIGHTS])
    cost = [mixture._cost(masks, weights, prior) for weights in (prior, found)]
    assert cost[1] < 0.7 * cost[0]
