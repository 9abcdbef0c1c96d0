"""Masks in texts, whole words for them, the least likely words of a text, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from zlib import crc32

import numpy as np
import pytest
import torch

import lamella
from lamella.data.readers.cloze import mask_a_word, read_cloze
from lamella.errors import DataError, UsageError
from lamella.graphs import torch_graphs
from lamella.nets.transformer.masked import BEGINS, GOES_ON, OTHER, MaskedTransformer, mask_words
from lamella.registry import find
from lamella.tasks.fill_mask import cloze
from lamella.tasks.fill_mask.search import NEVER, Filler, Text, likeliest, parse, shares
from tests.serving import serving

TALE = "At night the ___ owl hunts moths in the ___."


@pytest.fixture(scope="module")
def model(trained):
    return lamella.load(trained("fill-mask"))


# --- masks in texts


@pytest.mark.parametrize("mask", ["___", "______", "[MASK]", "<mask>", "{}"])
def test_a_mask_may_be_spelt_in_several_ways(model, mask):
    plain, spelt = model.predict([TALE, TALE.replace("___", mask)])
    assert plain["words"] == spelt["words"] and plain["text"] == spelt["text"] and "_" not in plain["text"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a text with a mask, ___ or .MASK., where a word is wanted, received an empty text. Put ___"),
        ("no mask at all", "received 'no mask at all'. Put ___"),
        ("one _ is none", "expected a text with a mask"),
        (" ".join(["___"] * 40), "expected at most 20 masks in a text, received 40"),
        ("un___able", "expected a mask in the place of a whole word, received 'un___able'. Put spaces"),
        ("[MASK][MASK] twice", "expected a mask in the place of a whole word"),
    ],
)
def test_what_is_no_text_with_masks_is_refused(model, cli, text, message):
    with pytest.raises(UsageError, match=message):
        model.predict(text)
    done = cli("predict", model.where, "--text", text)
    assert done.code == 2 and len(done.err.splitlines()) == 1 and "expected" in done.err


def test_a_mask_is_one_id_with_or_without_a_space_before_it(model):
    pieces, mask = model.task.pieces, model.task.mask
    [spaced], [joined] = cloze.tokens(pieces, "___,"), cloze.tokens(pieces, '"___')
    assert spaced[0] == mask and joined[-1] == cloze.JOINED and mask not in joined
    [text] = parse(np.array([[9, mask, 8, cloze.JOINED, 0]]), mask)
    assert text.parts == [[9], [8], []] and text.joined == [False, True]
    assert text.with_word([5, 6], -1.0).lay([mask], mask) == ([9, 5, 6, 8, mask], 4)


def test_words_are_found_where_they_stand(model):
    text = 'In winter: "Tom, 3 owls eat!" the ___ dog.'
    kinds, pieces = model.task.kinds, model.task.pieces
    places = cloze.spots(pieces, text, kinds)
    ids = [i for part in cloze.tokens(pieces, text) for i in part]
    words = [kinds.word(ids[a:b]) for a, b in cloze.groups(ids, kinds)]
    assert len(places) == len(words)
    assert all(place is None or text[slice(*place)] == word for place, word in zip(places, words, strict=True))
    assert sum(place is not None for place in places) >= 5


# --- masks in training


def test_whole_words_and_spans_are_masked():
    kinds = torch.tensor([0, OTHER, BEGINS, GOES_ON, OTHER])
    whole = torch.tensor([[2, 3, 3, 4, 2, 2, 3, 4] * 8] * 200)
    pieces, wanted = mask_words(whole, kinds, 0.3, 1, torch.Generator().manual_seed(0))
    again = mask_words(whole, kinds, 0.3, 1, torch.Generator().manual_seed(0))
    assert torch.equal(pieces, again[0]) and torch.equal(wanted, again[1])
    asked = wanted != 0
    assert torch.equal(wanted[asked], whole[asked]) and torch.equal(pieces[~asked], whole[~asked])
    assert 0.24 < asked.float().mean() < 0.33
    assert 0.05 < (pieces[asked] != 1).float().mean() < 0.15, "a tenth is left in its place"
    inner = whole == 3  # a later piece of a word is masked with the one before it
    assert torch.equal(asked[:, 1:][inner[:, 1:]], asked[:, :-1][inner[:, 1:]])
    both = asked[:, :-1] & asked[:, 1:] & ~inner[:, 1:]  # neighbouring words go together more often than by chance
    assert both.float().sum() / (~inner[:, 1:]).float().sum() > 1.3 * asked.float().mean() ** 2


def test_fewer_words_are_masked_towards_the_end(model):
    job = find("fill-mask")(size="tiny")
    job.fit(job.sample("train")[:60])
    rows = [{**job.inputs(e), **job.targets(e)} for e in job.sample("train")[:60]]
    batch = {name: torch.from_numpy(array) for name, array in job.collate(rows).items()}
    shares = []
    for progress in (0.0, 1.0):
        job.state = job.state.changed(progress=progress)
        wanted = job.augment(batch, torch.Generator().manual_seed(1))["wanted"]
        shares.append(float((wanted != 0).sum() / (batch["whole"] != 0).sum()))
    assert 0.2 < shares[0] < 0.4 and 0.08 < shares[1] < 0.2


# --- words for masks


class Table:
    """A graph that knows how likely each piece is after the piece before it, whatever else stands there."""

    def __init__(self, after: dict[int, list[float]], count: int) -> None:
        self.after, self.count = after, count

    def __call__(self, pieces, asked):
        places = asked.argmax(axis=1)
        rows = [
            self.after.get(int(row[place - 1]), [1.0] * self.count) for row, place in zip(pieces, places, strict=True)
        ]
        return {"log_probability": np.log(np.array(rows) + 1e-12).astype(np.float32)}


@pytest.fixture
def filler():
    #         pad unk  <s> </s> mask  a    b    c  (go on) d
    kinds = cloze.Kinds(np.array([0, 3, 3, 3, 3, 1, 1, 1, 2]), ["", "?", "", "", "", "▁a", "▁b", "▁c", "d"])
    after = {
        3: [0, 0, 0, 0, 0, 0.6, 0.4, 0, 0],  # at the beginning rather a than b
        5: [0, 0, 0, 0, 0, 0.4, 0.3, 0.3, 1],
        6: [0, 0, 0, 0, 0, 0, 0, 1, 1],  # after b always c
    }
    return Filler({"fill": Table(after, 9)}, kinds, [0.75, 0.25], 4, 16)


def test_all_words_together_have_the_probability_one(filler):
    text = Text(0, [[3], [7]], [False])
    [words] = filler.words([text], 9, 2, 9)
    assert {filler.kinds.word(ids): round(float(np.exp(p)), 3) for ids, p in words[:4]} == {
        "a": 0.45, "b": 0.3, "ad": 0.15, "bd": 0.1,
    }  # fmt: skip
    scores = filler.likelihood([text] * 3, [[5], [6, 8], [5, 8, 8]])
    assert np.exp(scores).round(3).tolist() == [0.45, 0.1, 0.0]


@pytest.mark.parametrize(("count", "rows"), [(1, [2]), (2, [2]), (3, [2, 2]), (9, [2, 3])])
def test_beginnings_that_are_less_likely_than_enough_words_are_not_asked(filler, count, rows):
    text, asked, fill = Text(0, [[3], [7]], [False]), [], filler.fill
    filler.fill = lambda **inputs: asked.append(len(inputs["pieces"])) or fill(**inputs)
    [words] = filler.words([text], count, 2, 9)
    assert [filler.kinds.word(ids) for ids, _ in words[:4]] == ["a", "b", "ad", "bd"][:count]
    # One row for each length at once, then one for each beginning of two pieces that is left.
    assert asked == rows


@pytest.mark.parametrize("count", [1, 5, 30])
@pytest.mark.parametrize("size", [0, 3, 100, 2345])
def test_the_likeliest_pieces_share_the_probability_of_all_that_may_stand_there(count, size):
    rng = np.random.default_rng(size)
    row = np.log(rng.dirichlet(np.full(3000, 0.1)) + 1e-12).astype(np.float32)
    row[::7] = row[0]  # equal ones too
    allowed = np.sort(rng.choice(3000, size, replace=False))
    found, logs = likeliest(row, allowed, count)
    whole = shares(row, allowed)
    assert len(found) == min(count, size) and (size == 0 or abs(np.exp(whole[allowed]).sum() - 1) < 1e-6)
    assert (np.delete(whole, allowed) == NEVER).all()
    np.testing.assert_allclose(logs, np.sort(whole)[::-1][: len(found)], rtol=1e-5)
    np.testing.assert_allclose(logs, whole[found], rtol=1e-5)
    row[:] = np.nan
    assert likeliest(row, allowed, count) == ([], [])


def test_pieces_that_make_no_word_are_left_out(filler):
    filler.known = frozenset({crc32(b"bd")})
    [words] = filler.words([Text(0, [[3], [7]], [False])], 9, 2, 9)
    assert [filler.kinds.word(ids) for ids, _ in words[:3]] == ["a", "b", "bd"]
    assert "ad" not in [filler.kinds.word(ids) for ids, _ in words]


def test_several_masks_are_filled_together(filler):
    text = Text(0, [[3], [], []], [False, False])
    [best] = filler.together([text], 3, 1, 4)
    assert [filler.kinds.word(ids) for ids in best[0].filled] == ["b", "c"], "not the likeliest first word"
    assert [round(float(np.exp(t.score)), 3) for t in best] == [0.225, 0.135, 0.101]


def test_choices_share_the_probability(filler):
    text = Text(0, [[3], [7]], [False])
    [best] = filler.among([text], [[[[5], [5]], [[6], [6]]]], 5)
    assert [(filler.kinds.word(*t.filled), round(float(np.exp(t.score)), 3)) for t in best] == [("a", 0.6), ("b", 0.4)]


def test_a_long_text_is_read_around_the_mask(filler):
    [scores] = filler.ask([([7] * 40 + [3, 4] + [7] * 40, 41)])
    assert np.exp(scores[5]) == pytest.approx(0.6)


# --- a trained model


def test_whole_words_for_several_masks(model, cli):
    answer = model.predict(TALE)
    assert len(answer["words"]) == 2 and len(answer["fillings"]) == 5 == len(
        {tuple(f["words"]) for f in answer["fillings"]}
    )
    likely = [f["probability"] for f in answer["fillings"]]
    assert likely == sorted(likely, reverse=True) and sum(likely) <= 1
    assert [answer["text"][m["start"] : m["end"]] for m in answer["marks"]] == answer["words"]
    assert all(cloze.WORD.fullmatch(word) for f in answer["fillings"] for word in f["words"])
    assert cli("predict", model.where, TALE).out.startswith(" … ".join(answer["words"]))
    assert (
        len(
            model.with_config(lamella.options.replace_config(model.task.config, {"top": 2}, "fill-mask")).predict(TALE)[
                "fillings"
            ]
        )
        == 2
    )


def test_rows_of_choices_that_cannot_be_asked_are_named(tmp_path):
    rows = [f"the {n} ___ hunts,owl,owl|cow" for n in range(20)]
    rows += ["the tall ___ hunts,owl,owl|old cow", "the last ___ hunts,owl,||"]
    place = tmp_path / "cloze.tsv"
    place.write_text("\n".join(["text,words,choices", *rows]).replace(",", "\t").replace("|", ","))
    examples, lines = find("fill-mask")().read([str(place)])
    assert len(examples) == 20 and any("line 22: choices: expected single words" in line for line in lines)
    assert any("line 23: choices: expected words with commas" in line for line in lines)


def test_choices(model, cli):
    found = lamella.predict(model, "At night the old ___ hunts moths.", choices="bee, cow,owl")
    assert sorted(f["words"][0] for f in found["fillings"]) == ["bee", "cow", "owl"]
    assert sum(f["probability"] for f in found["fillings"]) == pytest.approx(1, abs=1e-3)
    assert model.predict({"text": "At night the old ___ hunts moths.", "choices": "cow,owl"})["words"][0] in (
        "cow",
        "owl",
    )
    done = cli("predict", model.where, "the old ___ hunts", "--choices", "men,old women")
    assert done.code == 2 and "expected single words with commas between them" in done.err and "'old women'" in done.err
    done = cli("predict", model.where, "the old ___ hunts", "--choices", " ,,")
    assert done.code == 2 and "--choices: expected words with commas between them" in done.err
    twice = model.predict({"text": "the old ___ hunts", "choices": "owl, owl,cow"})
    assert len(twice["fillings"]) == 2
    with pytest.raises(lamella.UsageError, match="'日本' has letters that the model's vocabulary has not"):
        model.predict({"text": "the old ___ hunts", "choices": "owl,日本"})
    done = cli("predict", model.where, "The owl hunts.", "--ask", "unlikely", "--choices", "owl,cow")
    assert done.code == 2 and "--choices: expected with --ask fill, received --ask unlikely" in done.err
    with pytest.raises(lamella.UsageError, match="--longest-word: expected with --ask fill"):
        lamella.predict(model, "The owl hunts.", ask="unlikely", longest_word=2)
    with serving({"m": model}) as server:
        body = {"examples": [{"text": "The owl hunts."}], "ask": "unlikely", "options": {"choices": "cow,owl"}}
        refused = server.post("/models/m/predict", body)
        assert refused.status == 400 and "expected with --ask fill" in refused.raw.decode()
        body = {"examples": [{"text": "At night the old ___ hunts moths."}], "options": {"choices": "cow,owl"}}
        [answer] = server.post("/models/m/predict", body).json["answers"]
        assert {f["words"][0] for f in answer["fillings"]} == {"cow", "owl"}
        assert server.post("/models/m/predict", {"examples": [{"text": "no mask"}]}).status == 400


def test_the_least_likely_words(model, cli, tmp_path):
    text = "Tom has a little cat that drinks milk.\nAt night the old owl hunts bananas in the forest."
    asked = lamella.predict(model, text, ask="unlikely")
    assert asked["pseudo_perplexity"] > 1 and 1 < len(asked["marks"]) <= 5
    likely = [m["probability"] for m in asked["marks"]]
    assert likely == sorted(likely) and all(text[m["start"] : m["end"]] == m["word"] for m in asked["marks"])
    letter = tmp_path / "letter.txt"
    letter.write_text(text)
    done = cli("predict", model.where, letter, "--ask", "unlikely", "--top", 20)
    assert done.code == 0, done.err
    assert next(line for line in done.out.splitlines() if "bananas" in line).startswith("2:28: bananas (")
    for nothing in ("", " \n"):
        with pytest.raises(UsageError, match="text: expected a text, received an empty one"):
            lamella.predict(model, nothing, ask="unlikely")
    letter.write_text("")
    done = cli("predict", model.where, letter, "--ask", "unlikely")
    assert done.code == 2 and "expected a text, received an empty one" in done.err


def test_what_is_explained_of_a_whole_text_is_how_likely_its_words_are(model):
    text = "At night the old owl hunts moths in the forest."
    focus = model.ask("unlikely").explain(text).data["focus"]
    assert focus["name"] == "mean log-probability of its words" and focus["value"] < 0
    # A word that was never seen counts no more than a bound; the perplexity has none.
    assert focus["value"] > -np.log(model.ask("unlikely").predict(text)["pseudo_perplexity"]) - 0.01


def test_a_text_longer_than_the_window_is_said(model):
    long = " ".join(["Every morning the old cow eats grass in the meadow."] * 20) + " In winter the ___ peels bananas."
    assert "window" in model.predict(long)["note"] and "note" not in model.predict(TALE)
    assert model.explain(TALE).data["attention"]["rows"] == model.predict(TALE)["words"]


def test_masks_with_one_mark_between_them_are_explained(model):
    units = model.explain("At night the ___,___ owl hunts moths.").data["fields"]["text"]["units"]
    assert "," in [unit["label"] for unit in units] and not any("_" in unit["label"] for unit in units)


def test_the_net_of_torch_and_the_graph_say_the_same(model):
    job = model.task
    net = job.build()
    assert isinstance(net, MaskedTransformer)
    from lamella.train.further import weights_of

    net.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in weights_of(model).items()})
    graphs = torch_graphs(net.eval())
    rng = np.random.default_rng(0)
    for batch, time in ((1, 1), (3, 19), (2, 100)):
        pieces = rng.integers(0, len(job.pieces), (batch, time))
        asked = np.eye(time, dtype=np.float32)[rng.integers(0, time, batch)]
        mine, theirs = (g["fill"](pieces=pieces, asked=asked)["log_probability"] for g in (graphs, model.graphs))
        assert np.abs(mine - theirs).max() < 0.02


# --- reading


def test_running_text_and_cloze_tests(tmp_path):
    letters = tmp_path / "letters.txt"
    letters.write_text("It rained all day long. Nobody went out, and the cat slept by the fire.\n" * 80)
    rows, lines = read_cloze([str(letters)], 16, cloze.check)
    assert len(rows) > 20 and all(row["text"].count("___") == 1 for row in rows)
    assert rows[0] == mask_a_word(cloze.filled(rows[0]["text"], [rows[0]["words"]])[0]) and "passages" in lines[-1]
    tests = tmp_path / "tests.tsv"
    tests.write_text(
        "sentence\toptions\tanswer\n" + "The _ barks.\tdog,cat\tdog\nThe ___ and the ___ fly.\t\towl, bee\n" * 6
    )
    rows, lines = read_cloze([str(tests)], 16, cloze.check)
    assert rows[0] == {"text": "The ___ barks.", "words": "dog", "choices": "dog,cat"}
    assert rows[1] == {"text": "The ___ and the ___ fly.", "words": "owl bee"} and "12 cloze tests" in lines[-1]
    words = tmp_path / "labels.csv"
    words.write_text("text,label\n" + "".join(f"A film about number {n} and a dog.,good\n" for n in range(30)))
    assert Counter(row["text"].count("___") for row in read_cloze([str(words)], 16, cloze.check)[0]) == {1: 30}


def test_running_text_with_marks_that_read_as_masks_is_left_out(tmp_path):
    for text in (
        "The \\vspace{} command adds room.",
        "Call it {} or so.",
        "A <mask> there.",
        "A [MASK] there.",
        "A ____ there.",
    ):
        assert mask_a_word(text) is None
    path = tmp_path / "code.txt"
    path.write_text("It rained all day long, and nobody came.\n\n" * 4 + "f{}g " * 40)
    rows, lines = read_cloze([str(path)], 128, cloze.check)
    assert rows and {cloze.check(row["text"]) for row in rows} == {1}
    assert lines[-1].startswith("left out: ") and "reads as a mask" in lines[-1]


def test_bad_cloze_tests_are_named(tmp_path):
    path = tmp_path / "tests.jsonl"
    good = {"text": "The ___ barks.", "words": "dog"}
    rows = [good] * 30 + [{"text": "The ___ and ___ bark.", "words": "dog"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found, lines = read_cloze([str(path)], 16, cloze.check)
    assert len(found) == 30 and any(
        "line 31: expected a word for each mask, 2, received 'dog'" in line for line in lines
    )
    path.write_text("".join(json.dumps(row) + "\n" for row in rows[-1:] * 20))
    with pytest.raises(DataError, match="expected at most 10% bad rows"):
        read_cloze([str(path)], 16, cloze.check)
    empty = tmp_path / "numbers.txt"
    empty.write_text("1 2 3 4\n" * 30)
    with pytest.raises(DataError, match="expected text with words in it"):
        read_cloze([str(empty)], 16, cloze.check)
