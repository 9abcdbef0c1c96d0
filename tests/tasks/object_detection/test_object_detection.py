"""Object detection: its net, loss and measure against what is known, and its answers as files people open."""

from __future__ import annotations

import json
import sys
import zipfile
from contextlib import redirect_stdout
from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import lamella
from lamella.data.media.images import read_image
from lamella.data.samples.object_detection import LABELS, scenes
from lamella.decode.boxes import mean_maps
from lamella.explain.ablation import Question
from lamella.metrics.boxes import best_threshold, detection, match
from lamella.model import card
from lamella.nets.augment import move_boxes, move_pictures, random_affine
from lamella.nets.boxes import box_loss, boxes_of
from lamella.nets.cnn.centers import CenterNet, NormedConvolution
from lamella.tasks.object_detection import ObjectDetection
from lamella.train.export import export_graphs


def random_boxes(rng, count: int, scored: bool) -> list[dict]:
    corners = rng.uniform(0, 80, (count, 2))
    sides = np.concatenate([corners, corners + rng.uniform(5, 20, (count, 2))], axis=1).round(1)
    labels = rng.choice(["a", "b", "c"], count)
    scores = {"score": 0.5} if scored else {}
    return [{"label": str(k), "box": list(map(float, s)), **scores} for k, s in zip(labels, sides)]


@pytest.fixture(scope="module")
def scene() -> tuple[list, list]:
    """Objects of 30 pictures, and answers that are near some of them."""
    rng = np.random.default_rng(3)
    wanted = [random_boxes(rng, int(rng.integers(0, 7)), False) for _ in range(30)]
    answers = []
    for boxes in wanted:
        near = [{**b, "box": [s + float(rng.normal(0, 1.5)) for s in b["box"]]} for b in boxes if rng.random() < 0.8]
        answers.append([{**b, "score": float(rng.random())} for b in near + random_boxes(rng, 3, True)])
    return answers, wanted


def test_the_measure_is_cocos(scene):
    """Our sums over its matches beside pycocotools' own summary, and a resample beside the pictures themselves doubled."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    answers, wanted = scene
    labels = ["a", "b", "c"]
    with redirect_stdout(StringIO()):
        sides = []
        for pictures in (wanted, answers):
            rows = [(i, b) for i, boxes in enumerate(pictures) for b in boxes]
            side = COCO()
            side.dataset = {
                "images": [{"id": i} for i in range(len(wanted))],
                "categories": [{"id": i} for i in range(3)],
                "annotations": [
                    {
                        "id": n,
                        "image_id": i,
                        "category_id": labels.index(b["label"]),
                        "bbox": [b["box"][0], b["box"][1], b["box"][2] - b["box"][0], b["box"][3] - b["box"][1]],
                        "area": (b["box"][2] - b["box"][0]) * (b["box"][3] - b["box"][1]),
                        "iscrowd": 0,
                        "score": b.get("score"),
                    }
                    for n, (i, b) in enumerate(rows, 1)
                ],
            }
            side.createIndex()
            sides.append(side)
        run = COCOeval(*sides, "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    scores = detection(answers, wanted, labels, {})
    assert [scores.values[name] for name in ("AP", "AP50", "AP75")] == pytest.approx(list(run.stats[:3]), abs=1e-9)
    weights = np.random.default_rng(0).integers(0, 3, len(wanted))
    twice = [i for i, w in enumerate(weights) for _ in range(w)]
    again = detection([answers[i] for i in twice], [wanted[i] for i in twice], labels, {})
    assert scores.measure(weights.astype(float)) == pytest.approx(again.values, abs=0.005)


def test_the_threshold_has_the_best_f1(scene):
    answers, wanted = scene
    [matches] = match(answers, wanted, ["a"])
    chosen = best_threshold(matches)

    def f1(least: float) -> float:
        sure = matches.score >= least
        return 2 * (matches.right[0] & sure).sum() / (sure.sum() + matches.wanted.sum())

    assert f1(chosen) == max(f1(least) for least in np.linspace(0, 1, 500))


def test_what_measures_is_named_where_it_is_missing(monkeypatch, scene):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(lamella.MissingExtra, match=r"lamella\[evaluate\]"):
        detection(*scene, ["a"], {})


def test_filters_fold_into_a_plain_convolution():
    torch.manual_seed(0)
    conv = NormedConvolution(3, 8, stride=2).train()
    x = torch.randn(2, 3, 9, 9)
    wanted = conv(x)
    assert torch.allclose(conv.eval()(x), wanted, atol=1e-6)
    plain = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv2d(3, 8, 3, 2, 1))
    with torch.no_grad():
        plain.parametrizations.weight.original0.copy_(conv.gain.view(-1, 1, 1, 1))
        plain.parametrizations.weight.original1.copy_(conv.weight.view(8, 3, 3, 3))
        plain.bias.copy_(conv.bias)
    assert torch.allclose(plain(x), wanted, atol=1e-5)
    net = CenterNet(1, 32, 48, 2, width=48, depth=2)
    [graph] = export_graphs(net.eval()).values()
    import onnx

    kinds = {node.op_type for node in onnx.load_model_from_string(graph).graph.node}
    assert "Conv" in kinds and not kinds & {"ReduceL2", "Sqrt", "Div"}, "what is exported has no norms in it"


def test_the_loss_is_least_at_the_right_answer():
    """A net that answers exactly beside one that is shifted, one without an object, and one that sees too many."""
    boxes, labels = torch.tensor([[[2.0, 2.0, 9.0, 8.0], [0.0, 0.0, 0.0, 0.0]]]), torch.tensor([[2, 0]])
    near = torch.arange(12).float() + 0.5
    x, y = near.expand(12, 12), near[:, None].expand(12, 12)
    sides = torch.stack([x - 2, y - 2, 9 - x, 8 - y]).clamp(min=0.1).log()[None]
    centers = torch.full((1, 2, 12, 12), -8.0)
    centers[0, 1, 5, 5] = 8.0
    right = box_loss({"centers": centers, "sides": sides}, boxes, labels)
    assert right < 0.01
    for worse in (
        {"centers": centers.roll(3, -1), "sides": sides},
        {"centers": centers, "sides": sides + 0.3},
        {"centers": centers.flip(1), "sides": sides},
        {"centers": centers * 0 - 8, "sides": sides},
    ):
        assert box_loss(worse, boxes, labels) > right + 0.1
    assert boxes_of(sides)[0, :, 5, 5].tolist() == pytest.approx([2, 2, 9, 8])
    for empty in ((boxes, labels * 0), (boxes[:, :0], labels[:, :0])):  # an empty picture teaches what is background
        assert box_loss({"centers": centers * 0 - 9, "sides": sides}, *empty) < box_loss(
            {"centers": centers * 0, "sides": sides}, *empty
        )


def test_picture_and_boxes_move_together():
    """A bright rectangle is found again, after any move, where its box was moved to."""
    rng = torch.Generator().manual_seed(1)
    matrices = random_affine(60, rng, translate=0.1, scale=0.3, flip_across=True, flip_down=True)
    pictures = torch.zeros(60, 1, 48, 64)
    pictures[:, :, 10:22, 24:44] = 1
    boxes, inside = move_boxes(torch.tensor([24.0, 10.0, 44.0, 22.0]).expand(60, 1, 4), matrices, 48, 64)
    assert (inside > 0.7).all() and len({tuple(b) for b in boxes[:, 0].tolist()}) > 50
    for seen, box in zip(move_pictures(pictures, matrices)[:, 0] > 0.5, boxes[:, 0].tolist()):
        rows, columns = torch.nonzero(seen, as_tuple=True)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert box == pytest.approx([float(v) for v in found], abs=1.0)


def test_a_box_that_leaves_the_picture_is_no_object_any_more():
    left = torch.tensor([[[1.0, 0.0, 0.9], [0.0, 1.0, 0.0]]])  # what is seen lies 0.9 to the right
    boxes = torch.tensor([[[0.0, 0.0, 10.0, 10.0], [40.0, 0.0, 50.0, 10.0], [90.0, 0.0, 100.0, 10.0]]])
    moved, inside = move_boxes(boxes, left, 100, 100)
    assert inside[0].tolist() == pytest.approx([0, 0.5, 1]) and moved[0, 2].tolist() == pytest.approx([45, 0, 55, 10])


def test_an_object_that_augmentation_cuts_teaches_its_sides_and_no_score(monkeypatch):
    """People mark objects at the edge of a picture as they like; those that only training cuts say nothing about that."""
    matrices = torch.tensor([[[1.0, 0.0, 0.9], [0.0, 1.0, 0.0]]]).expand(1, 2, 3)
    monkeypatch.setattr("lamella.nets.augment.random_affine", lambda *_: matrices)
    job = ObjectDetection(ObjectDetection.Config(brightness=0.0))
    job.height_, job.width_ = 96, 96
    boxes = torch.tensor([[[0, 0, 20, 20], [30, 40, 60, 60], [60, 0, 96, 20], [0, 0, 0, 0]]]) * 16
    batch = {"pictures": torch.zeros(1, 3, 96, 96), "boxes": boxes, "labels": torch.tensor([[1, 2, 1, 0]])}
    moved = job.augment(batch, torch.Generator())
    assert moved["labels"].tolist() == [[0, -2, 1, 0]]
    gradients = []
    for centers in (torch.full((1, 2, 24, 24), 3.0), torch.full((1, 2, 24, 24), -3.0)):
        outputs = {"centers": centers.requires_grad_(), "sides": torch.zeros(1, 4, 24, 24).requires_grad_()}
        job.loss(outputs, moved).backward()
        left, top, right, bottom = (round(side / 64) for side in moved["boxes"][0, 1].tolist())
        at = np.s_[(top + bottom) // 2, (left + right) // 2]
        gradients.append([float(outputs["centers"].grad[0, label][at]) for label in (0, 1)])
        assert outputs["sides"].grad[0][:, at[0], at[1]].abs().sum() > 0
    assert [own for _, own in gradients] == [0, 0], "neither that it is one nor that it is none"
    assert all(other > 0 for other, _ in gradients), "that it is none of another label is known"


def test_no_threshold_solves_the_sample():
    """The best of 5 brightness thresholds in each channel, either way, its connected regions as boxes."""
    from scipy import ndimage

    pictures = scenes("test")
    best = 0.0
    for channel in range(3):
        for least in range(32, 256, 48):
            for way in (1, -1):
                answers = []
                for image, _ in pictures:
                    points = read_image(image, 96, 3)[channel].astype(int)
                    regions = ndimage.find_objects(ndimage.label((points - least) * way > 0)[0])
                    boxes = [(r[1].start, r[0].start, r[1].stop, r[0].stop) for r in regions]
                    large = sorted(boxes, key=lambda b: (b[0] - b[2]) * (b[3] - b[1]))[:10]
                    answers.append([{"label": "x", "score": 0.5, "box": list(map(float, b))} for b in large])
                wanted = [[{**box, "label": "x"} for box in boxes] for _, boxes in pictures]
                best = max(best, detection(answers, wanted, ["x"], {}).values["AP50"])
    assert best < 0.1


# ---- the trained task -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model(trained) -> lamella.Model:
    return lamella.load(trained("object-detection"))


@pytest.fixture
def picture(tmp_path, model) -> Path:
    """A sample's picture as a file, in a frame of another shape."""
    points = read_image(scenes("test")[1][0], 96, 3).transpose(1, 2, 0)
    place = tmp_path / "12.png"
    Image.fromarray(np.pad(points, ((0, 48), (0, 0), (0, 0)), constant_values=128)).save(place)
    return place


def test_answers_are_in_pixels_of_the_users_picture(model, picture):
    """Twice as large a picture has the same boxes twice as large, and one that is turned by EXIF those of the upright one."""
    small = model.with_config(model.task.config)
    plain = small.predict({"image": str(picture)})
    upright = Image.open(picture)
    assert plain, "something was found"
    for one in plain:
        left, top, right, bottom = one["box"]
        assert one["label"] in LABELS and 0 < one["score"] <= 1
        assert 0 <= left < right <= upright.width and 0 <= top < bottom <= upright.height
    upright.resize((2 * upright.width, 2 * upright.height), Image.Resampling.NEAREST).save(picture.with_name("big.png"))
    large = small.predict({"image": str(picture.with_name("big.png"))})
    assert large[0]["label"] == plain[0]["label"]
    assert large[0]["box"] == pytest.approx([2 * side for side in plain[0]["box"]], abs=6)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = picture.with_name("turned.png")
    upright.transpose(Image.Transpose.ROTATE_90).save(turned, exif=exif)
    assert small.predict({"image": str(turned)}) == plain


def test_the_mean_over_mirror_images_is_the_same_in_the_mirror(model):
    """A picture and its mirror image have the same objects; a net that learned no flips asks one picture alone."""
    points = np.stack([read_image(image, 96, 3) for image, _ in scenes("test")[:3]]).astype(np.float32)
    rows = (points - np.array(model.task.mean_, np.float32)[:, None, None]) / 60
    detect = model.graphs["detect"]
    centers, sides = mean_maps(detect, rows, True, True)
    for flip, order in ((np.s_[:, :, :, ::-1], [2, 1, 0, 3]), (np.s_[:, :, ::-1], [0, 3, 2, 1])):
        mirrored = mean_maps(detect, np.ascontiguousarray(rows[flip]), True, True)
        assert np.abs(mirrored[0][flip] - centers).max() < 1e-3
        assert np.abs(mirrored[1][flip][:, order] - sides).max() < 1e-3
    assert np.abs(detect(pictures=rows)["centers"] - centers).max() > 0.01, "the net alone is not symmetric"
    examples = model.task.sample("test")[:10]
    plain, better = (lamella.predict(model, *[e["image"] for e in examples], mirror=mirror) for mirror in (False, True))
    assert plain != better
    assert sum(map(len, better)) > 0.5 * sum(map(len, plain))


def test_a_threshold_per_label_is_learned_and_may_be_overruled(model):
    job = model.task
    assert set(job.thresholds_) == set(LABELS) and all(0 < t < 1 for t in job.thresholds_.values())
    examples = job.sample("test")[:10]
    few, many = model.predict(examples), lamella.predict(model, *[e["image"] for e in examples], threshold=0.02)
    assert all(b["score"] >= job.thresholds_[b["label"]] for boxes in few for b in boxes)
    assert sum(map(len, many)) > sum(map(len, few))
    assert all(
        len(boxes) <= 2
        for boxes in lamella.predict(model, *[e["image"] for e in examples], threshold=0.02, max_boxes=2)
    )


def test_each_label_is_scored(model):
    result = lamella.evaluate(model, "sample", limit=30)
    assert {row["label"] for row in result["boxes"]} == set(LABELS)
    assert result["scores"]["AP"]["value"] == pytest.approx(np.mean([row["AP"] for row in result["boxes"]]))
    assert any("AP50 of each label" in line for line in card.beside(result))


def test_files(model, picture, tmp_path, cli):
    """A picture with boxes, COCO's results, YOLO's lines; what is written is read again as the same boxes."""
    from lamella.data.readers.boxes import read_boxes

    place = Path(model.where)
    boxes = lamella.predict(model, str(picture), threshold=0.1)
    for name in ("seen.png", "seen.jpg", "seen.json", "labels.txt"):
        assert cli("predict", place, picture, "-o", tmp_path / name, "--threshold", 0.1).code == 0
    drawn, before = np.asarray(Image.open(tmp_path / "seen.png")), np.asarray(Image.open(picture))
    assert drawn.shape == before.shape and (drawn != before).any()
    left, _, _, bottom = boxes[0]["box"]
    assert (drawn[min(143, int(bottom) - 1), int(left)] != before[min(143, int(bottom) - 1), int(left)]).any()
    results = json.loads((tmp_path / "seen.json").read_text())
    assert results[0]["image_id"] == 12 and len(results) == len(boxes)
    assert results[0]["bbox"][:2] == boxes[0]["box"][:2] and results[0]["score"] == boxes[0]["score"]
    assert cli("predict", place, tmp_path, "-o", tmp_path / "all.zip", "--threshold", 0.1).code == 0
    home = tmp_path / "yolo"
    with zipfile.ZipFile(BytesIO((tmp_path / "all.zip").read_bytes())) as archive:
        archive.extractall(home)
    (home / "images").mkdir()
    (home / "images" / "12.png").write_bytes(picture.read_bytes())
    assert (home / "labels" / "12.txt").read_text() == (tmp_path / "labels.txt").read_text()
    [example], _ = read_boxes([home / "data.yaml"])
    assert [b["label"] for b in example["boxes"]] == [b["label"] for b in boxes]
    for one, other in zip(example["boxes"], boxes):
        assert one["box"] == pytest.approx(other["box"], abs=0.01)


def test_an_explanation_is_of_the_picture_as_it_is_shown(model, picture):
    """A picture that is no square is laid on one, and each box is a part of the answer that squares are weighed for."""
    question = Question(model, {"image": str(picture)})
    assert "96 x 144" in question.note
    assert len(question.part_names) == len(question.answer) > 0
    page = model.explain({"image": str(picture)}).to_html()
    assert page.count('stroke="#e69f00"') == len(question.answer)
    assert all(name.startswith(box["label"]) for name, box in zip(question.part_names, question.answer))
    nothing = question.focus([range(len(question.units))])
    assert float(np.asarray(nothing).sum()) < question.value


def test_data_without_a_box(tmp_path):
    job = ObjectDetection(ObjectDetection.Config())
    with pytest.raises(lamella.DataError, match="expected boxes in some of the 3 pictures"):
        job.fit([{"image": picture, "boxes": []} for picture, _ in scenes("test")[:3]])


def test_sides_of_the_nets_picture():
    points = np.zeros((48, 64, 3), np.uint8)
    job = ObjectDetection(ObjectDetection.Config(image_size=320))
    job.fit([{"image": points, "boxes": [{"label": "a", "box": [1, 2, 3, 4]}]}])
    assert (job.width_, job.height_, job.channels_) == (320, 240, 1)
    assert job.targets({"image": points, "boxes": [{"label": "a", "box": [1, 2, 3, 4]}]})["boxes"].tolist() == [
        [80, 160, 240, 320]
    ]
