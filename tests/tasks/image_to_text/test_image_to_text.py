"""Captions and search both ways: what is drawn, what each question answers, the index of pictures and texts, the squares of words."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import lamella  # noqa: E402
from lamella.data.media.images import encode_png, read_image  # noqa: E402
from lamella.errors import DataError  # noqa: E402
from lamella.explain.ablation import Question  # noqa: E402
from lamella.explain.gradients import rebuilt  # noqa: E402
from lamella.graphs import torch_graphs  # noqa: E402
from lamella.model.index import Index, asked  # noqa: E402
from lamella.tasks.image_to_text import ImageToText, captions_of  # noqa: E402
from lamella.verbs.serve import _searching  # noqa: E402
from tests.serving import serving  # noqa: E402

WORD = "image-to-text"


@pytest.fixture(scope="module")
def model(trained) -> lamella.Model:
    return lamella.load(trained(WORD))


@pytest.fixture(scope="module")
def test_set() -> list:
    return ImageToText().sample("test")


@pytest.fixture(scope="module")
def photos(tmp_path_factory, test_set) -> Path:
    """A folder of pictures, one in a folder below, and one that is damaged."""
    import base64

    place = tmp_path_factory.mktemp("site") / "photos"
    (place / "more").mkdir(parents=True)
    for i, example in enumerate(test_set[:6]):
        raw = base64.b64decode(example["image"].partition(",")[2])
        (place / ("more" if i == 5 else "") / f"{i}.png").write_bytes(raw)
    return place


# --- captions


def test_captions_name_what_is_there(model, test_set):
    """After 45 steps the ground and the colour are right more often than chance has it, by a wide margin."""
    few = test_set[:24]
    captions = model.predict([{"image": e["image"]} for e in few])
    grounds = [
        any(g in c and g in e["caption"][0] for g in ("grass", "sand", "snow", "water"))
        for c, e in zip(captions, few, strict=True)
    ]
    assert np.mean(grounds) > 0.6 and len(set(captions)) > 4


def test_a_caption_is_the_same_whatever_the_picture_comes_as(model, test_set, photos):
    caption = model.predict(test_set[0]["image"])
    raw = (photos / "0.png").read_bytes()
    points = read_image(test_set[0]["image"], 48, 3)
    assert [model.predict(v) for v in (str(photos / "0.png"), raw, points)] == [caption] * 3


def test_a_folder_becomes_a_table_of_captions(cli, trained, photos, tmp_path, model):
    (photos / "note.md").write_text("no picture")
    out = tmp_path / "captions.csv"
    done = cli("predict", trained(WORD), photos, "-o", out)
    rows = list(csv.DictReader(out.open()))
    assert done.code == 0 and list(rows[0]) == ["image", "caption"]
    assert [r["image"] for r in rows] == ["0.png", "1.png", "2.png", "3.png", "4.png", "more/5.png"]
    assert rows[1]["caption"] == model.predict(str(photos / "1.png"))


def test_vectors_stand_beside_a_caption_when_asked_for(model, test_set):
    plain = lamella.predict(model, test_set[0]["image"])
    both = lamella.predict(model, test_set[0]["image"], vectors=True)
    assert both["caption"] == plain and both["vector"] == model.ask("vector").predict(test_set[0]["image"])
    assert np.linalg.norm(both["vector"]) == pytest.approx(1, abs=1e-3)


# --- search


def test_pictures_that_fit_a_text_from_an_index_that_grows(cli, trained, photos, tmp_path, test_set):
    place, more = tmp_path / "site.index", tmp_path / "more.jsonl"
    words = (trained(WORD), "a blue star", "--ask", "pictures", "--index", place, "--json")
    done = cli("predict", *words, "--corpus", photos, "--top", 3)
    [near] = done.json["answers"]
    assert len(near) == 3 and all(Path(n["image"]).is_file() for n in near) and "6 entries added" in done.err
    assert near[0]["grade"] >= near[1]["grade"]
    more.write_text(json.dumps({"image": test_set[8]["image"]}) + "\n")
    again = cli("predict", *words, "--corpus", more, "--top", 9)
    assert len(again.json["answers"][0]) == 7 and "1 entries added, 7 in all" in again.err
    capital = cli("predict", trained(WORD), "A BLUE  star", "--ask", "pictures", "--index", place, "--json", "--top", 3)
    assert capital.json["answers"][0] == again.json["answers"][0][:3], (
        "search does not tell capitals from small letters"
    )


def test_texts_that_fit_a_picture_and_one_index_for_both(cli, trained, model, photos, tmp_path, test_set):
    texts = tmp_path / "texts.txt"
    texts.write_text("".join(e["caption"][0] + "\n" for e in test_set[:20]))
    place = tmp_path / "both.index"
    done = cli("predict", trained(WORD), photos / "0.png", "--ask", "texts", "--corpus", texts, "--index", place)
    assert done.code == 0
    searching = asked(model, "pictures", [photos], place)
    assert all("image" in n for n in searching.predict("a blue star")) and len(Index.read(place)) > 20
    found = lamella.predict(model, str(photos / "0.png"), ask="texts", index=place, top=20)
    assert {n["text"] for n in found} == {e["caption"][0] for e in test_set[:20]}


def test_what_cannot_be_read_is_left_out_of_an_index(cli, trained, photos, tmp_path):
    rows = [{"image": str(photos / f"{i}.png")} for i in range(3)] + [{"image": str(photos / "note.md")}]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = (trained(WORD), "a star", "--ask", "pictures", "--index", tmp_path / "x.index")
    done = cli("predict", *words, "--corpus", tmp_path / "rows.jsonl")
    assert done.code == 0 and "left out: " in done.err and "3 entries added, 3 in all" in done.err


def test_over_http(model, photos, tmp_path, test_set):
    place = tmp_path / "a.index"
    asked(model, "pictures", [photos], place)
    with serving({"m": _searching([model], [str(place)])[0]}) as server:
        [facts] = server.get("/models").json["models"]
        names = [q["name"] for q in facts["questions"]]
        assert names == ["caption", "pictures", "texts", "vector", "text-vector"]
        found = server.post("/models/m/predict", {"examples": [{"image": test_set[0]["image"]}]}).json
        assert found["answers"] == [model.predict(test_set[0]["image"])]
        body = {"examples": [{"text": "a blue star"}], "ask": "pictures", "options": {"top": 2}}
        [near] = server.post("/models/m/predict", body).json["answers"]
        assert len(near) == 2 and near[0]["image"].endswith(".png")
        none = server.post("/models/m/predict", {"examples": [{"image": test_set[0]["image"]}], "ask": "texts"})
        assert none.status == 400 and "expected an index that holds texts" in none.json["error"]
        why = server.post("/models/m/explain", {"example": {"text": "a blue star"}, "ask": "text-vector"})
        assert why.status == 200 and [u["label"] for u in why.json["fields"]["text"]["units"]] == ["a", "blue", "star"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["a star", "--ask", "pictures"], "Give it with --corpus FILE or --index FILE"),
        (["a star", "--ask", "title"], "expected one of caption, pictures, texts, vector, text-vector"),
        (["no-such-picture.png"], "no-such-picture.png: expected a picture file, received no such file"),
        (["a star"], "a star: expected a picture file, received no such file"),
    ],
)
def test_a_wrong_question_says_what_was_expected(cli, trained, words, expected):
    done = cli("predict", trained(WORD), *words)
    assert done.code == 2 and expected in done.err and len(done.err.splitlines()) == 1


def test_a_model_of_captions_alone_does_not_search(model):
    config = type(model.task.config)(contrastive_weight=0.0)
    with pytest.raises(lamella.UsageError, match="it was trained with --contrastive-weight 0"):
        model.with_config(config).ask("vector").predict(encode_png(np.zeros((8, 8), np.uint8)))


# --- explanations


def test_each_word_hangs_on_squares(model, test_set):
    data = model.explain({"image": test_set[0]["image"]}).data
    words = data["attention"]["rows"]
    assert " ".join(words[:-1]) == data["answer"] and words[-1] == "(end)"
    field = data["fields"]["image"]
    assert len(data["attention"]["columns"]) == field["rows"] * field["columns"] == len(data["attention"]["weights"][0])
    assert any(sum(row) == pytest.approx(1, abs=0.01) for row in data["attention"]["weights"])
    page = model.explain({"image": test_set[0]["image"]})._repr_html_()
    assert page.count("<figure") == len(words), "a small picture for each word"


# --- training data


def test_one_of_several_captions_is_drawn_each_time():
    job = ImageToText()
    few = [
        {"image": encode_png(np.full((8, 8), 40 * i, np.uint8)), "caption": c}
        for i, c in enumerate((["a b", "c d"], ["a"], ["d c b"]))
    ]
    job.fit(few)
    rows = [{**job.inputs(e), **job.prompt(e)} for e in few]
    batch = {k: torch.from_numpy(v) for k, v in job.collate(rows).items()}
    drawn = set()
    for seed in range(12):
        out = job.augment(batch, torch.Generator().manual_seed(seed))
        texts = [job.pieces.decode([[i for i in row if i > 3]])[0] for row in out["captions"].tolist()]
        assert texts[1:] == ["a", "d c b"] and torch.equal(out["captions"], out["texts"])
        drawn.add(texts[0])
    assert drawn == {"a b", "c d"}


def test_captions_that_are_all_the_same_teach_nothing(test_set):
    with pytest.raises(DataError, match="expected captions that differ, received 5 pictures that all have 'a picture'"):
        ImageToText().fit([{**e, "caption": ["a picture"]} for e in test_set[:5]])


def test_no_picture_stands_on_both_sides(test_set):
    job = ImageToText()
    assert job.keys({"image": test_set[0]["image"], "caption": "x"}) == job.keys(test_set[0])
    assert captions_of({"caption": ["a", "b"]}) == ["a", "b"]


# --- the net


def test_graphs_are_the_net_at_sizes_not_seen_in_export(model, test_set):
    net = rebuilt(Question(model, {"image": test_set[0]["image"]}))
    own, rng = torch_graphs(net.eval()), np.random.default_rng(0)
    for batch, beams, past in ((1, 1, 0), (19, 6, 8)):
        pictures = rng.standard_normal((batch, 3, 48, 48)).astype(np.float32)
        state = {k: rng.standard_normal((batch, beams, 2, 2, past, 48)).astype(np.float32) for k in ("keys", "values")}
        token, texts = rng.integers(0, 50, (batch, beams)), rng.integers(0, 50, (batch, past + 1))
        seen = own["see"](pictures=pictures)
        memory = {name: seen[name] for name in ("memory_keys", "memory_values")}
        given = {"see": {"pictures": pictures}, "read": {"texts": texts}, "step": {"token": token, **state, **memory}}
        for name, arrays in given.items():
            wanted, came = own[name](**arrays), model.graphs[name](**arrays)
            for key in set(wanted) - {"tokens"}:  # of two that are as likely either may stand first
                np.testing.assert_allclose(came[key], wanted[key], atol=2e-3 * np.abs(wanted[key]).max())
    task = model.ask("caption").task
    rows = task.collate([task.inputs(e) for e in test_set[:19]])
    assert task.decode(own, rows) == task.decode(model.graphs, rows)


def test_the_loss_is_smaller_for_the_right_pairs():
    job = ImageToText()
    few = job.sample("train")[:16]
    job.fit(few)
    net = job.build().eval()
    rows = [{**job.inputs(e), **job.prompt({**e, "caption": e["caption"][:1]})} for e in few]
    batch = {k: torch.from_numpy(v) for k, v in job.collate(rows).items()}
    out = net(**batch)
    right = dict(out, picture=out["text"])  # each picture's vector on its text's
    assert job.loss(right, batch) < job.loss(dict(out, picture=out["text"].roll(1, 0)), batch)
