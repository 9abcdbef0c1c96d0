"""Pictures of any size through the same tiles in training and in serving; masks as files; what cannot be learned from."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

import lamella
from lamella.data.media.images import encode_png, read_image
from lamella.data.media.masks import IGNORE, encode_mask, overlay, read_mask
from lamella.data.samples.image_segmentation import LABELS, ground
from lamella.decode.segments import likelihoods
from lamella.errors import DataError, UsageError
from lamella.tasks.image_segmentation import Config, ImageSegmentation, results
from lamella.tasks.image_segmentation.files import coco_results


@pytest.fixture
def folder(trained):
    return trained("image-segmentation")


@pytest.fixture
def model(folder):
    return lamella.load(folder)


@pytest.fixture(scope="module")
def large() -> np.ndarray:
    """A picture (C, 150, 210) of several of the sample's, which is no multiple of 16."""
    tiles = [read_image(picture, 64, 3) for picture, _ in ground("test")[:12]]
    rows = [np.concatenate(tiles[i : i + 4], axis=2) for i in (0, 4, 8)]
    return np.concatenate(rows, axis=1)[:, :150, :210]


def test_a_mask_has_the_size_of_its_picture(model, large):
    for height, width in ((150, 210), (17, 33), (1, 1), (64, 5)):
        answer = model.predict(np.ascontiguousarray(large[:, :height, :width].transpose(1, 2, 0)))
        mask = read_mask(answer["mask"])
        assert mask.points.shape == (height, width) and answer["size"] == [width, height]
        assert sum(answer["pixels"].values()) == height * width
        assert mask.labels == list(LABELS)


def test_tiles_give_what_the_whole_gives(model, large):
    x = ((large - large.mean()) / large.std()).astype(np.float32)
    whole, tiled = (likelihoods(model.graphs["segment"], x, tile, False, False) for tile in (512, 112))
    assert whole.shape == tiled.shape == (len(LABELS) + 1, 150, 210)
    assert np.abs(whole - tiled).mean() < 0.02 and (whole.argmax(0) == tiled.argmax(0)).mean() > 0.97
    mirrored = likelihoods(model.graphs["segment"], x[:, :, ::-1], 512, True, True)[:, :, ::-1]
    assert np.abs(mirrored - likelihoods(model.graphs["segment"], x, 512, True, True)).max() < 1e-4


def test_a_large_picture_is_scaled_for_the_net_alone(model, large):
    picture = np.kron(large.transpose(1, 2, 0), np.ones((2, 2, 1), np.uint8))
    small = model.with_config(Config(image_size=210))
    mask = read_mask(small.predict(picture)["mask"]).points
    plain = read_mask(model.predict(np.ascontiguousarray(large.transpose(1, 2, 0)))["mask"]).points
    assert mask.shape == (300, 420) and (mask[::2, ::2] == plain).mean() > 0.9


def test_things_are_told_apart(model):
    for picture, _ in ground("test")[:12]:
        answer = model.predict(picture)
        mask, things = read_mask(answer["mask"]), read_mask(answer["things"]).things
        assert sum(answer["counts"].values()) == things.max()
        assert ((things > 0) == (mask.points > 0)).all()
        for number in range(1, things.max() + 1):
            assert len(np.unique(mask.points[things == number])) == 1, "a thing has one label"


def test_small_things_are_left_out(model, large):
    picture = np.ascontiguousarray(large.transpose(1, 2, 0))
    plain, few = model.predict(picture), model.with_config(Config(least_area=150)).predict(picture)
    assert 0 < sum(few["counts"].values()) < sum(plain["counts"].values())
    sizes = np.bincount(read_mask(few["things"]).things.ravel())[1:]
    assert sizes.min() >= 150


# ---- files -----------------------------------------------------------------------------------------------------------


def test_files(cli, folder, tmp_path):
    picture = tmp_path / "moss.png"
    picture.write_bytes(base64.b64decode(ground("test")[0][0].partition(",")[2]))
    assert cli("predict", folder, picture, "-o", tmp_path / "mask.png").code == 0
    mask = read_mask(tmp_path / "mask.png")
    assert mask.points.shape == (64, 64) and Image.open(tmp_path / "mask.png").mode == "P"
    assert cli("predict", folder, picture, "-o", tmp_path / "seen.jpg").code == 0
    assert Image.open(tmp_path / "seen.jpg").size == (64, 64)
    assert cli("predict", folder, picture, "-o", tmp_path / "found.json").code == 0
    results = json.loads((tmp_path / "found.json").read_text())
    assert results and {r["category"] for r in results} <= set(LABELS)
    coder = pytest.importorskip("pycocotools.mask")
    for one in results:
        size = one["segmentation"]["size"]
        coded = coder.frPyObjects(one["segmentation"], *size)
        assert int(coder.area(coded)) == one["area"] and coder.toBbox(coded).tolist() == one["bbox"]
    (tmp_path / "many").mkdir()
    for name in "ab":
        (tmp_path / "many" / f"{name}.png").write_bytes(picture.read_bytes())
    assert cli("predict", folder, tmp_path / "many", "-o", tmp_path / "masks.zip").code == 0
    bad = cli("predict", folder, tmp_path / "many", "-o", tmp_path / "masks.png")
    assert bad.code == 2 and "-o with .png: expected .csv" in bad.err and not (tmp_path / "masks.png").exists()
    with zipfile.ZipFile(tmp_path / "masks.zip") as archive:
        assert {"labels.txt", "masks/a.png", "masks/b.png", "things/a.png"} <= set(archive.namelist())
        assert (read_mask(archive.read("masks/a.png")).points == mask.points).all()


def test_an_overlay_leaves_the_background_as_it_is():
    points = np.full((4, 4, 3), 100, np.uint8)
    laid = overlay(points, read_mask(encode_mask(np.eye(4, dtype=np.uint8), ["background", "a"])))
    assert (laid[0, 1] == 100).all() and (laid[0, 0] != 100).any()


def test_coco_results_of_masks_without_things():
    mask = encode_mask(np.array([[1, 0, 1]], np.uint8), ["background", "a"])
    results = coco_results([{"image": "x/7.png"}], [{"mask": mask}], ["background", "a"])
    assert [r["bbox"] for r in results] == [[0, 0, 1, 1], [2, 0, 1, 1]] and results[0]["file_name"] == "7.png"


def test_overlays_are_shown_before_training(folder):
    shown = Image.open(folder / "training" / "overlays.png")
    assert shown.width > 600 and shown.height > 1000


# ---- what is learned from --------------------------------------------------------------------------------------------


def example(points, labels=("background", "cat"), group="") -> dict[str, str]:
    rng = np.random.default_rng(int(points.sum()))
    picture = encode_png(rng.integers(0, 255, (3, *points.shape), np.uint8))
    return {"image": picture, "mask": encode_mask(points, labels), **({"group": group} if group else {})}


SQUARE = np.zeros((20, 30), np.uint8)
SQUARE[5:10, 5:15] = 1


def test_one_label_alone_cannot_be_learned():
    job = ImageSegmentation()
    with pytest.raises(DataError, match="at least two labels, received 3 of background alone"):
        job.fit([example(np.zeros((20, 20), np.uint8))] * 3)


def test_a_label_that_no_point_has_is_not_learned():
    job = ImageSegmentation()
    job.fit([example(SQUARE, ("background", "cat", "dog"))] * 3)
    assert job.labels_ == ["background", "cat"] and sum(job.shares_) == pytest.approx(1)


def test_a_label_that_training_did_not_have():
    job = ImageSegmentation()
    job.fit([example(SQUARE)] * 3)
    with pytest.raises(DataError, match="labels among background, cat, received dog"):
        job.targets(example(SQUARE, ("background", "dog")))
    # Where it is measured it counts as wrong.
    answers = job.trivial([], [example(SQUARE, ("background", "dog"))])
    values = job.score(answers, [example(SQUARE, ("background", "dog"))]).values
    assert values["IoU"] == 0 and values["accuracy"] == pytest.approx(1 - SQUARE.mean())


def test_points_that_are_not_known_neither_teach_nor_count():
    points = SQUARE.copy()
    points[0] = IGNORE
    job = ImageSegmentation()
    job.fit([example(points)] * 3)
    assert (job.targets(example(points))["labels"].reshape(20, 30)[0] == IGNORE).all()
    right = {"mask": encode_mask(SQUARE, ("background", "cat"))}
    assert job.score([right], [example(points)]).values["accuracy"] == 1


def test_how_things_are_parted_is_learned_from_pictures_kept_aside():
    """Where touching discs are one to the net, they are parted at necks; where all are apart already, nothing changes."""
    y, x = np.indices((40, 80))
    wanted = np.zeros((40, 80), np.int32)
    for number, column in enumerate((14, 30, 62), start=1):
        wanted[((y - 20) ** 2 + (x - column) ** 2 <= 81) & (wanted == 0)] = number
    likely = np.stack([wanted == 0, wanted > 0, np.zeros_like(wanted)]).astype(np.float32)
    labels = ["background", "cell"]
    parting = results.learned_parting([(likely, (40, 80), wanted)], labels, 10)
    assert parting == results.Parting(0.0, 0.25, 10)
    found = results.answer(likely, (40, 80), labels, True, parting)
    assert found["counts"] == {"cell": 3} and found["pixels"]["cell"] == int((wanted > 0).sum())
    apart = np.where(wanted == 2, 0, wanted)
    easy = np.stack([apart == 0, apart > 0, np.zeros_like(apart)]).astype(np.float32)
    assert results.learned_parting([(easy, (40, 80), apart)], labels, 10) == results.Parting(0.0, 0.0, 10)
    faint = likely.copy()
    faint[2][:, 21:24] = 0.2 * (wanted[:, 21:24] > 0)  # a border that is there, but not likelier than all
    assert results.learned_parting([(faint, (40, 80), wanted)], labels, 10).border == 0.15


def test_parting_is_learned_by_the_net_that_ships(model):
    task, examples = model.task, model.task.sample("test")[:3]
    task.calibrate(examples, model.run)
    assert task.neck_ in (0.0, *results.NECKS) and task.between_ in (0.0, *results.BORDERS) and not task.collecting
    assert set(model.predict(examples[0]["image"])) >= {"mask", "things", "counts"}


def test_where_two_things_touch_is_a_border():
    things = np.repeat(np.array([[1, 1, 1, 1, 2, 2, 2, 2]]), 8, axis=0)
    mask = encode_mask((things > 0).astype(np.uint8), ["background", "cell"], things)
    one = {"image": encode_png(np.zeros((3, 8, 8), np.uint8)), "mask": mask}
    labels = {}
    for border in (1, 2, 0):
        job = ImageSegmentation(Config(border=border))
        job.fit([{**one}, example(SQUARE, ("background", "cell"))])
        labels[border] = job.targets(one)["labels"].reshape(8, 8)[0].tolist()
    assert labels == {1: [1, 1, 1, 2, 2, 1, 1, 1], 2: [1, 1, 2, 2, 2, 2, 1, 1], 0: [1] * 8}


def test_groups_stand_on_one_side():
    rows = [example(np.roll(SQUARE, i, axis=1), group=f"patient {i // 4}") for i in range(20)]
    job = ImageSegmentation()
    held = job.training.hold_out(job, rows, 3, seed=0)
    groups = {rows[i]["group"] for i in held}
    assert len(held) == 4 and len(groups) == 1
    assert job.training.hold_out(job, [{k: v for k, v in row.items() if k != "group"} for row in rows], 3, 0) is None
    assert "group patient 0" in job.keys(rows[0])


@pytest.mark.parametrize("options", [{"crop": 100}, {"image_size": 9}, {"flip": "up"}, {"tile": 65}, {"stride": 3}])
def test_options_are_checked(options):
    with pytest.raises(UsageError):
        lamella.train("image-segmentation", "sample", out="nowhere", **options)


def test_bytes_that_are_no_mask():
    out = io.BytesIO()
    Image.new("RGB", (4, 4), (1, 2, 3)).save(out, "JPEG")
    with pytest.raises(DataError, match="received a JPEG"):
        read_mask(out.getvalue())
