"""Image generation: its questions on the command line, in Python and over HTTP; reading; what it refuses; copies."""

from __future__ import annotations

import base64
import csv
import io
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

import lamella
from lamella.data.media.images import encode_png, read_image
from lamella.data.readers.pictures import read_pictures
from lamella.graphs import torch_graphs
from lamella.tasks.image_generation import ImageGeneration, drawing, kinds, memorisation
from lamella.tasks.image_generation.labels import guessed
from tests.serving import serving

NONE = kinds.Kinds([], [], b"")  # as a model of before there were kinds has


@pytest.fixture
def folder(trained) -> Path:
    return trained("image-generation")


@pytest.fixture
def model(folder) -> lamella.Model:
    return lamella.load(folder)


@pytest.fixture
def picture(model, tmp_path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(base64.b64decode(model.task.sample("test")[1]["image"].partition(",")[2]))
    return path


def points(uri: str) -> np.ndarray:
    return read_image(uri, 16, 1)


# ---- questions ------------------------------------------------------------------------------------------------------


def test_draw_on_the_command_line(cli, folder, tmp_path, monkeypatch):
    for heavy in ("torch", "onnx", "safetensors"):
        monkeypatch.setitem(sys.modules, heavy, None)
    out = tmp_path / "sheet.png"
    asked = ("predict", folder, "--ask", "draw", "--label", "ring", "-n", "5", "--seed", "1")
    assert cli(*asked, "-o", out).code == 0
    assert Image.open(out).size == (3 * 18 + 2, 2 * 18 + 2)
    [drawn] = cli(*asked, "--json").json["answers"]
    assert len(drawn) == 5 and len(set(drawn)) > 1 and [drawn] == cli(*asked, "--json").json["answers"]
    assert drawn != cli(*asked[:-1], "2", "--json").json["answers"][0], "another seed draws others"
    assert (
        drawn[:2]
        == cli("predict", folder, "ring", "--ask", "draw", "--number", 2, "--seed", 1, "--json").json["answers"][0]
    )
    assert cli("predict", folder, "any", "--ask", "draw").out == "1 picture of 16 x 16 points; -o FILE.png keeps them\n"
    plain = tmp_path / "one.png"
    assert cli("predict", folder, "any", "--ask", "draw", "-o", plain).code == 0 and Image.open(plain).size == (16, 16)


def test_what_was_seen_stays_where_a_picture_is_completed(cli, folder, model, picture, tmp_path):
    asked = ("predict", folder, "--ask", "complete", "--image", picture, "-n", "2", "--json")
    given = points(str(picture))
    mask = np.zeros((16, 16), np.uint8)
    mask[4:9, 8:] = 255
    file = tmp_path / "mask.png"
    Image.fromarray(mask).save(file)
    for region, hidden in (("bottom", np.s_[:, 8:]), ("8,4,16,9", np.s_[:, 4:9, 8:]), (file, np.s_[:, 4:9, 8:])):
        [made] = cli(*asked, "--region", region).json["answers"]
        there = np.ones((1, 16, 16), bool)
        there[hidden] = False
        assert len(made) == 2 and all(np.array_equal(points(uri)[there], given[there]) for uri in made)
    # What is hidden is not seen: with other points there, the same is drawn.
    other = given.copy()
    other[:, 8:] = 255 - other[:, 8:]
    complete = model.ask("complete")
    one, two = complete.predict([{"image": a, "region": "bottom"} for a in (given, other)])
    assert np.array_equal(points(one[0])[:, 8:], points(two[0])[:, 8:])


def test_likelihood_and_reconstruction(cli, folder, model, picture, tmp_path):
    answer = model.predict(str(picture))
    noise = model.predict(np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8))
    assert noise["log_likelihood"] < answer["log_likelihood"] < 0
    assert answer["bits_per_dim"] == pytest.approx(-answer["log_likelihood"] / np.log(2) / 256, rel=1e-4)
    assert model.ask("reconstruct").predict(str(picture)) == answer["reconstruction"]
    assert cli("predict", folder, picture, "--ask", "reconstruct", "-o", tmp_path / "r.png").code == 0
    assert np.array_equal(points(str(tmp_path / "r.png")), points(answer["reconstruction"]))
    # More passes use more of what is known by then.
    sums = [lamella.predict(model, str(picture), passes=passes)["log_likelihood"] for passes in (1, 16)]
    assert sums[0] != sums[1]


def test_a_table_of_labels(cli, folder, tmp_path):
    table, out = tmp_path / "wanted.csv", tmp_path / "drawn.csv"
    table.write_text("label\nring\nany\nhorse\n")
    done = cli("predict", folder, table, "--ask", "draw", "-o", out)
    assert done.code == 0 and "horse" in done.err
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert [row["predicted_picture_1"][:10] for row in rows] == ["data:image", "data:image", ""]


def test_over_http(model, picture):
    uri = model.task.sample("test")[1]["image"]
    with serving({"m": model}) as server:
        [facts] = server.get("/models").json["models"]
        assert [q["name"] for q in facts["questions"]] == ["likelihood", "draw", "complete", "reconstruct"]

        def ask(name, example, **options):
            return server.post("/models/m/predict", {"examples": [example], "ask": name, "options": options})

        [drawn] = ask("draw", {"label": "disc"}, number=3).json["answers"]
        assert drawn == lamella.predict(model, "disc", ask="draw", number=3)
        assert len(ask("complete", {"image": uri, "region": "left"}).json["answers"][0]) == 1
        for region in ("/etc/passwd", ["a", 0, 4, 4], [True, 0, 4, 4], [0, 0, 4], None):
            assert ask("complete", {"image": uri, "region": region}).status == 400
        refused = ask("reconstruct", {"image": uri}, number=3)
        assert refused.status == 400 and "--number: expected with --ask draw or complete" in refused.raw.decode()
        assert (
            ask("draw", {"label": "horse"}).status == 422 and ask("draw", {"label": "disc"}, number=10**6).status == 400
        )


@pytest.mark.parametrize(
    ("question", "example"),
    [("draw", {"label": "disc"}), ("complete", {"region": "left"}), ("reconstruct", {})],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_explain_by_regions(model, question, example):
    image = {} if question == "draw" else {"image": model.task.sample("test")[1]["image"]}
    data = model.ask(question).explain({**image, **example}).data
    assert len(data["attention"]["rows"]) == 16 and data["faithfulness"]["sentence"]


# ---- reading --------------------------------------------------------------------------------------------------------


@pytest.fixture
def drawings(tmp_path) -> Path:
    for i, (name, picture) in enumerate([("a", 30), ("b", 90), ("b", 150)]):
        place = tmp_path / "data" / name
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((12, 12), picture + i, np.uint8)).save(place / f"{i}.png")
    return tmp_path / "data"


def test_pictures_with_and_without_labels(drawings):
    assert [row["label"] for row in read_pictures([str(drawings)])[0]] == ["a", "b", "b"]
    flat, _ = read_pictures([str(drawings / "b")])
    job = ImageGeneration()
    job.fit(flat)
    assert job.labels_ == [] and job.side_ == 12 and job.grid == 3
    (drawings / "t.csv").write_text("path,label\na/0.png,x\nb/1.png,\n")
    rows, lines = read_pictures([str(drawings / "t.csv")])
    assert [row.get("label") for row in rows] == ["x", None] and any("t.csv" in line for line in lines)
    (drawings / "plain.csv").write_text("path\na/0.png\nb/1.png\n")
    assert all("label" not in row for row in read_pictures([str(drawings / "plain.csv")])[0])


def test_what_cannot_be_learned_is_said(drawings, tmp_path):
    for i in range(20):
        Image.fromarray(np.full((12, 12), 7, np.uint8)).save(drawings / "a" / f"same-{i}.png")
    rows, _ = read_pictures([str(drawings / "a")])
    with pytest.raises(lamella.DataError, match="expected pictures that differ, received the same one"):
        ImageGeneration().fit(rows[1:])
    with pytest.raises(lamella.DataError, match="received no such file"):
        read_pictures([str(tmp_path / "nowhere")])


WRONG = [
    ("draw", {"label": "horse"}, "label: expected one of cross, disc, ring, square, any, received 'horse'"),
    ("complete", {"region": "middle"}, "region: expected top, bottom"),
    ("complete", {"region": "0,0,17,4"}, "expected a box within the picture of 16 x 16"),
    ("complete", {"region": "4,4,4,8"}, "expected a box within"),
    ("complete", {"region": np.ones((8, 8))}, "expected a mask of 16 x 16 points, like its picture, received 8 x 8"),
    ("complete", {"region": np.zeros((16, 16))}, "white where the picture is to be drawn anew, received a black one"),
    ("complete", {"region": np.ones((16, 16, 3))}, "expected an array of height x width"),
    ("reconstruct", {"image": "nowhere.png"}, "nowhere.png"),
]


@pytest.mark.parametrize(("question", "example", "said"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_question_is_refused_with_one_line(model, question, example, said):
    image = {} if question == "draw" else {"image": model.task.sample("test")[0]["image"]}
    with pytest.raises((lamella.DataError, lamella.UsageError)) as caught:
        model.ask(question).predict({**image, **example})
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_labels_are_guessed_where_there_are_some_to_try():
    codes, config = np.array([[0, -1]]), msgspec.structs.replace(ImageGeneration().config, number=3)
    pictures, hidden = np.zeros((1, 1, 8, 8)), np.zeros((1, 8, 8), np.uint8)
    hidden[:, 4:] = 1
    tried: list[int] = []

    def fill(codes, label):
        tried.extend(label.tolist())
        return {"scores": np.log(np.where(label[:, None, None] == 2, [0.99, 0.01], [0.01, 0.99])).repeat(2, axis=1)}

    def reads(pictures, hidden):
        assert hidden.mean() == 0.5 and pictures.shape == (1, 1, 8, 8)
        return {"labels": np.log([[0.2, 0.1, 0.7]])}

    assert guessed({"read": reads}, pictures, hidden, codes, NONE, 3, config).tolist() == [[3, 3, 1]]
    # A model of before, which does not read them: all labels are tried, where these are not too many.
    config = msgspec.structs.replace(config, temperature=0)
    assert guessed({"fill": fill}, pictures, hidden, codes, NONE, 3, config).tolist() == [[2, 2, 2]] and set(tried) == {
        1,
        2,
        3,
    }
    assert guessed({"fill": fill}, pictures, hidden, codes, NONE, 33, config).tolist() == [[0, 0, 0]]
    for count in (0, 1):  # none, one that tells nothing
        assert guessed({}, pictures, hidden, codes, NONE, count, config).tolist() == [[0, 0, 0]]


def test_what_is_not_read_as_its_label_is_drawn_again():
    """A prior that draws code 0 or 1, whatever the label, and a net that reads code 1 as label 2."""
    config = msgspec.structs.replace(ImageGeneration().config, number=200, seed=5)
    graphs = {
        "fill": lambda codes, label: {"scores": np.log(np.full((*codes.shape, 2), 0.5))},
        "decode": lambda codes: {"values": codes[:, None, None].astype(np.float32)},
        "read": lambda pictures, hidden: {
            "labels": np.log(np.where(pictures[:, 0, 0] == 1, [[0.02, 0.98]], [[0.98, 0.02]]))
        },
    }
    empty, labels = np.full((3, 1), -1), np.repeat([[0], [1], [2]], 200, axis=1)
    plain = drawing.drawn(graphs, empty, labels, config)
    assert [0.4 < row.mean() < 0.6 for row in plain] == [True] * 3, "as learned"
    checked = drawing.drawn(graphs, empty, labels, config, guidance=1.5)
    assert 0.4 < checked[0].mean() < 0.6 and checked[1].mean() < 0.15 and checked[2].mean() > 0.85
    alone = drawing.drawn(graphs, empty[2:], labels[2:], config, guidance=1.5)
    assert np.array_equal(alone[0], checked[2]), "no row depends on the others"
    old = drawing.drawn({"fill": graphs["fill"]}, empty, labels, config, guidance=1.5)
    assert all(np.array_equal(a, b) for a, b in zip(old, plain, strict=True)), "a model without such a net"


def test_a_label_has_kinds_that_look_alike(tmp_path):
    """Two labels of two looks each: the kinds are these looks, and what is drawn has all of them, as often as they were seen."""
    rng = np.random.default_rng(0)
    looks = {("a", 40): 120, ("a", 200): 40, ("b", 100): 80, ("b", 160): 80}
    examples = [
        {"image": np.clip(rng.normal(grey, 5, (16, 16)), 0, 255).astype(np.uint8), "label": label}
        for (label, grey), count in looks.items()
        for _ in range(count)
    ]
    job = ImageGeneration()
    job.fit(examples)
    assert job.kind_labels_ == [1] * 4 + [2] * 4 and sum(job.kind_counts_) == 320
    given = {int(job.prompt(e)["label"]) for e in examples if e["label"] == "a"}
    assert given <= {1, 2, 3, 4} and job.prompt({"image": examples[0]["image"]})["label"] == 0
    dark = {int(job.prompt(e)["label"]) for e in examples[:120]}
    bright = {int(job.prompt(e)["label"]) for e in examples[120:160]}
    assert not dark & bright
    drawn = [kinds.chosen(1, [7, i], job.kinds, 1.0) for i in range(400)]
    assert 0.65 < np.isin(drawn, list(dark)).mean() < 0.85 and set(drawn) <= dark | bright
    assert drawn[3] == kinds.chosen(1, [7, 3], job.kinds, 1.0), "the same seed, the same kind"
    assert {kinds.chosen(1, [7, i], job.kinds, 0.0) for i in range(20)} <= dark, "at temperature 0 the most frequent"
    assert {kinds.chosen(0, [7, i], job.kinds, 1.0) > 4 for i in range(40)} == {True, False}, "any: of both labels"
    likely = np.log(np.full((1, 8), 0.125))
    assert np.exp(kinds.of_labels(likely, job.kinds, 2)).tolist() == [[pytest.approx(0.5)] * 2]


def test_completions_are_shared_out_among_labels_and_then_kinds():
    two = kinds.Kinds([1, 1, 2], [1, 1, 1], bytes(300))
    config = msgspec.structs.replace(ImageGeneration().config, number=5)
    graphs = {"read": lambda pictures, hidden: {"labels": np.log([[0.3, 0.28, 0.42]])}}
    pictures, hidden = np.zeros((1, 1, 8, 8)), np.zeros((1, 8, 8), np.uint8)
    found = guessed(graphs, pictures, hidden, np.array([[-1]]), two, 2, config)
    assert found.tolist() == [[1, 3, 2, 3, 1]], (
        "the first is of the most likely label, though no kind of it is the likeliest"
    )


def test_fields_by_name_are_whole(cli, folder, picture):
    assert "received no --region" in cli("predict", folder, "--ask", "complete", "--image", picture).err
    both = cli("predict", folder, "ring", "--ask", "draw", "--label", "disc")
    assert both.code == 2 and "expected --label alone" in both.err
    assert "received nothing" in cli("predict", folder, "--ask", "draw").err


# ---- the net --------------------------------------------------------------------------------------------------------


def test_graphs_are_the_net_at_other_sizes(model):
    """Codes, pictures and log-probabilities of the graphs beside those of the net that is rebuilt from the folder."""
    from lamella.train.adopt import fill
    from lamella.train.further import weights_of

    net = model.task.build()
    fill(net, weights_of(model)).all_or_error("net")
    other = torch_graphs(net.eval())
    rng = np.random.default_rng(0)
    for count in (1, 9):
        pictures = rng.random((count, 1, 16, 16), dtype=np.float32)
        codes = model.graphs["encode"](pictures=pictures)["codes"]
        assert (codes == other["encode"](pictures=pictures)["codes"]).mean() > 0.98  # a number may lie on an edge
        given = np.where(rng.random(codes.shape) < 0.5, -1, codes)
        for name, inputs in (("decode", {"codes": codes}), ("fill", {"codes": given, "label": np.zeros(count, int)})):
            for key, value in other[name](**inputs).items():
                assert model.graphs[name](**inputs)[key] == pytest.approx(value, abs=1e-3)


def test_copies_are_seen(folder):
    rng = np.random.default_rng(0)
    learned, unseen = rng.random((200, 1, 8, 8)), rng.random((40, 1, 8, 8))
    copied = memorisation.nearest(learned[:40] + 0.01, learned)
    fresh = memorisation.nearest(rng.random((40, 1, 8, 8)), learned)
    seen = memorisation.nearest(unseen, learned)
    assert "100% of 40 drawn pictures are nearer" in memorisation.line(copied, seen, 200)
    assert copied.max() == pytest.approx(0.01, abs=1e-3) and abs(np.median(fresh) - np.median(seen)) < 0.05
    assert "Memorisation: the nearest of" in (folder / "card.md").read_text()


def test_translation_is_by_whole_points(model):
    import torch

    pictures = torch.zeros(8, 1, 16, 16)
    pictures[:, :, 8, 8] = 1
    job = ImageGeneration(ImageGeneration.Config(translate=0.2))
    job.side_, job.labels_ = 16, []
    moved = job.augment({"pictures": pictures}, torch.Generator().manual_seed(0))["pictures"]
    assert moved.sum().item() == pytest.approx(8, abs=1e-3) and len({int(m.argmax()) for m in moved}) > 1
    assert bool(((moved < 1e-4) | (moved > 1 - 1e-4)).all())


def test_pictures_are_read_as_bytes(model):
    uri = encode_png(np.full((1, 16, 16), 51, np.uint8))
    batch = model.task.collate([model.task.inputs({"image": uri})])
    assert batch["pictures"].dtype == np.float32 and batch["pictures"].max() == pytest.approx(0.2)
