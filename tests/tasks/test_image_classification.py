"""Nets over pictures beside torch's own functions, and the task on pictures as people have them."""

from __future__ import annotations

import base64
import csv

import msgspec
import numpy as np
import onnx
import pytest
import torch
from torch.nn import functional as F

import lamella
from lamella import DataError
from lamella.data.media.images import encode_png, read_image
from lamella.data.samples.image_classification import STROKES
from lamella.graphs import OnnxGraph, prune
from lamella.graphs import int8_convolutions as static
from lamella.graphs.int8 import quantize
from lamella.model import run_batches
from lamella.nets.augment import move_pictures, random_affine
from lamella.nets.cnn.image import Convolution, ImageCNN, ResidualBlock
from lamella.nets.transformer.classifiers import ImageTransformer
from lamella.options import current_names
from lamella.registry import find
from lamella.train.export import export_graphs

pytest.importorskip("PIL")
TASK = "image-classification"


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def model(trained) -> lamella.Model:
    return lamella.load(trained(TASK))


@pytest.fixture
def job():
    cls = find(TASK)
    return cls(cls.Config(), "tiny")


def nets(**options):
    return [
        ImageCNN(3, 12, 5, width=32, depth=3, **options),
        ImageTransformer(3, 12, 4, 5, width=32, depth=1, heads=2, **options),
    ]


# --- the nets


@pytest.mark.parametrize("side, stride", [(3, 1), (3, 2), (1, 1)])
def test_a_convolution_is_torchs(side, stride):
    mine, theirs = Convolution(4, 6, side, stride), torch.nn.Conv2d(4, 6, side, stride, side // 2)
    with torch.no_grad():
        theirs.weight.copy_(mine.weight.view(6, 4, side, side))
        mine.bias.copy_(theirs.bias)
    x = torch.randn(3, 4, 8, 8)
    assert torch.allclose(mine(x), theirs(x), atol=1e-5)


def test_a_block_begins_as_its_shortcut():
    x = torch.randn(2, 8, 6, 6)
    assert torch.equal(ResidualBlock(8, 8, stride=1)(x), x)
    narrow = ResidualBlock(8, 12, stride=2)
    assert torch.allclose(narrow(x), narrow.shortcut(F.avg_pool2d(x, 2)))
    torch.nn.init.normal_(narrow.second.weight)
    by_hand = narrow.shortcut(F.avg_pool2d(x, 2)) + narrow.second(F.relu(narrow.first(F.relu(x))))
    assert torch.allclose(narrow(x), by_hand) and narrow(x).shape == (2, 12, 3, 3)


@pytest.mark.parametrize(("size", "width"), [("tiny", 24), ("small", 32), ("base", 48)])
def test_the_first_stage_is_narrow_but_in_a_net_that_is_gone_on_with(size, width):
    cls = find(TASK)
    job, later = cls(cls.Config(), size), cls(cls.Config(), size)
    job.fit(job.sample("train")[:20])
    assert len(job.build().stem.weight) == width
    job.first_ = 0  # as in an earlier version
    later.transfer.adopt(later, job, {})
    assert later.build().state_dict().keys() == job.build().state_dict().keys()
    assert len(later.build().stem.weight) == job.size.width // 4
    del job.first_  # which its models did not know
    later = cls(cls.Config(), size)
    later.transfer.adopt(later, job, {})
    assert len(later.build().stem.weight) == job.size.width // 4
    vectors = cls(cls.Config(labels="none"), size)
    vectors.fit(job.sample("train")[:20])
    later = cls(cls.Config(), size)
    later.transfer.adopt(later, vectors, {"net.stem.weight": vectors.build().net.stem.weight.detach().numpy()})
    assert later.first_ == vectors.first_


def test_patches_are_torchs():
    net = ImageTransformer(3, 12, 4, 5, width=8, depth=1, heads=2)
    x = torch.randn(2, 3, 12, 12)
    assert torch.equal(net.patches(x), F.unfold(x, 4, stride=4).transpose(1, 2))


@pytest.mark.parametrize("number", [0, 1], ids=["ImageCNN", "ImageTransformer"])
def test_every_weight_learns(number):
    """The nets are made here, after the seed: from any of it they learn their eight pictures in 60 steps."""
    net = nets()[number]
    best = torch.optim.SGD(net.parameters(), 0.05)
    x, y = torch.randn(8, 3, 12, 12), torch.arange(8) % 5
    losses = []
    for _ in range(60):
        value = F.cross_entropy(net(x)["scores"], y)
        best.zero_grad()
        value.backward()
        best.step()
        losses.append(value.item())
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())
    assert losses[-1] < 0.5 * losses[0]


def moved(pictures, translate=0.0, rotate=0.0, scale=0.0, flip=False):
    rng = torch.Generator().manual_seed(0)
    return move_pictures(pictures, random_affine(len(pictures), rng, translate, scale, flip, rotate=rotate), "border")


def test_pictures_are_moved_by_what_is_asked():
    x = torch.rand(64, 2, 16, 16)
    assert torch.allclose(moved(x), x, atol=1e-5)
    assert (moved(torch.ones(2, 1, 4, 4), 0.2, 30, 0.1) - 1).abs().max() < 1e-5, "what comes in repeats the edge"
    twice = moved(x, flip=True)
    same = [(twice[i] - x[i]).abs().max() < 1e-5 for i in range(64)]
    other = [(twice[i] - x[i].flip(-1)).abs().max() < 1e-5 for i in range(64)]
    assert all(a != b for a, b in zip(same, other)) and 10 < sum(same) < 54

    spot = torch.zeros(200, 1, 32, 32)
    spot[:, :, 15:17, 15:17] = 1
    rows = torch.arange(32.0) - 15.5

    def middles(pictures):
        weight = pictures[:, 0] / pictures[:, 0].sum(dim=(1, 2), keepdim=True)
        return torch.stack([(weight * rows[:, None]).sum(dim=(1, 2)), (weight * rows).sum(dim=(1, 2))])

    far = middles(moved(spot, 0.1, 0, 0)).abs()
    assert 2.5 < far.max() < 3.3, "a tenth of 32 points at most"
    assert middles(moved(spot, 0, 90, 0)).abs().max() < 0.1, "turned around the middle"
    spot = spot.roll(8, dims=3)
    turned = middles(moved(spot, 0, 30, 0))
    angles = torch.rad2deg(torch.atan2(turned[0], turned[1]))
    assert angles.min() < -20 and angles.max() > 20 and angles.abs().max() < 33
    assert (turned.norm(dim=0) - 8).abs().max() < 0.5
    scaled = middles(moved(spot, 0, 0, 0.25))[1]
    assert 6.2 < scaled.min() < 7 and 9 < scaled.max() < 10.2


def test_pictures_are_moved_in_training_alone(job):
    """Each step draws anew from the generator it is given, and the same from the same; the nets themselves draw nothing."""
    job.fit(job.sample("train"))
    batch = {"pictures": torch.randn(4, job.channels_, job.side_, job.side_), "label": torch.arange(4)}
    one, again, other = (job.augment(batch, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one["pictures"], again["pictures"]) and not torch.equal(one["pictures"], other["pictures"])
    assert torch.equal(one["label"], batch["label"]) and one["pictures"].shape == batch["pictures"].shape
    for net in nets(dropout=0.0):
        x = torch.randn(4, 3, 12, 12)
        with torch.no_grad():
            assert torch.equal(net(x)["scores"], net(x)["scores"])


def test_options_by_their_earlier_names(tmp_path):
    """The old flag is refused with the new one; a model that was trained with it keeps its value."""
    with pytest.raises(lamella.UsageError, match="--shift is called --translate now"):
        lamella.train(TASK, "sample", out=str(tmp_path / "m"), steps=1, shift=0.1)
    kept = msgspec.convert(current_names(find(TASK).Config, {"shift": 0.2, "mirror": True}), find(TASK).Config)
    assert (kept.translate, kept.flip, kept.rotate) == (0.2, True, 10.0)


def test_an_answer_hangs_on_its_picture_alone(model):
    examples = [{"image": e["image"]} for e in model.task.sample("test")[:70]]
    rows = [model.task.inputs(e) for e in examples]
    many = model.graphs["classify"](**model.task.collate(rows))["scores"]
    for i in (0, 33, 69):
        alone = model.graphs["classify"](**model.task.collate(rows[i : i + 1]))["scores"]
        assert np.abs(alone[0] - many[i]).max() < 1e-4 * np.abs(many).max()
    assert model.predict(examples) == [model.predict(e) for e in examples]


# --- int8


def test_convolutions_of_whole_numbers():
    net = ImageCNN(3, 12, 5, width=64, depth=3).eval()
    for block in net.blocks:
        torch.nn.init.normal_(block.second.weight, std=0.05)
        torch.nn.init.normal_(block.first.bias, std=0.1)
    raw = export_graphs(net)["classify.onnx"]
    chance = np.random.default_rng(0)
    pictures = chance.standard_normal((64, 3, 12, 12)).astype(np.float32)
    probe = prune.Calibrator(raw, "classify")
    seen = probe(pictures=pictures)
    wanted = OnnxGraph(raw, "classify")(pictures=pictures)["scores"]
    assert list(seen) == ["scores"] and np.allclose(seen["scores"], wanted, atol=1e-5)
    found = static.find_filters(onnx.load_model_from_string(raw).graph)
    large = [m for m in net.modules() if isinstance(m, Convolution) and m.weight.numel() >= 4096]
    assert len(found) == len(large) >= 4
    for f, m in zip(found, large):  # in the order of the net, but for the shortcuts
        assert any(np.array_equal(f.weight.ravel(), other.weight.detach().numpy().ravel()) for other in large), m
    assert {n for f in found for n in (f.node.input[0], f.out)} == set(probe.ranges)

    whole, alone = quantize(raw, probe.ranges), quantize(raw)
    assert len(whole) < 0.4 * len(raw) and len(alone) < 0.4 * len(raw)
    for small in (whole, alone):
        came = OnnxGraph(small, "classify")(pictures=pictures)["scores"]
        error = np.abs(came - wanted).max() / np.abs(wanted).max()
        assert 0 < error < 0.06, error
    kinds = [n.op_type for n in onnx.load_model_from_string(whole).graph.node]
    assert kinds.count("QuantizeLinear") >= len(found) and kinds.count("Relu") < raw.count(b"Relu")


def test_steps_hold_the_range_and_zero():
    for seen in ((0.0, 6.0), (-2.0, 3.0), (1.0, 4.0), (-5.0, -1.0), (0.0, 0.0)):
        step, zero = static._step(seen)
        low, high = (0 - int(zero)) * step, (255 - int(zero)) * step
        assert low <= min(seen[0], 0) + step / 2 + 1e-9 and high >= max(seen[1], 0) - step / 2 - 1e-9


# --- the task


def test_the_sample_is_not_trivial(job):
    learn, test = job.sample("train"), job.sample("test")
    assert {e["label"] for e in learn} == set(STROKES) == {e["label"] for e in test}
    x, y = (np.stack([read_image(e["image"], 20, 1).ravel() / 255 for e in s]) for s in (learn, test))
    labels = np.array([e["label"] for e in learn])
    means = np.stack([x[labels == k].mean(axis=0) for k in sorted(STROKES)])
    nearest = ((y[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    right = np.mean(np.array(sorted(STROKES))[nearest] == [e["label"] for e in test])
    assert 0.3 < right < 0.9, "to compare with the mean of each class is not enough, and better than chance"


def test_what_is_found_from_the_pictures(job):
    chance = np.random.default_rng(0)
    colour = [{"image": encode_png(chance.integers(0, 256, (30, 26, 3), dtype=np.uint8)), "label": k} for k in "abab"]
    job.fit(colour)
    assert (job.side_, job.channels_, job.labels_) == (32, 3, ["a", "b"])
    batch = job.collate([job.inputs(e) for e in colour])["pictures"]
    assert batch.dtype == np.float32 and batch.shape == (4, 3, 32, 32)
    assert abs(batch.mean()) < 0.05 and abs(batch.std() - 1) < 0.05
    with pytest.raises(DataError, match="among a, b"):
        job.targets({**colour[0], "label": "c"})
    with pytest.raises(DataError, match="at least two classes"):
        job.fit(colour[::2])
    job.config.image_size = 48
    job.fit(colour)
    assert job.side_ == 48
    assert [type(n).__name__ for n in built(job)] == ["ImageCNN", "ImageTransformer"]


def built(job):
    for net in job.training.nets:
        job.config.net = net
        made = job.build().eval()
        assert made(torch.zeros(2, 3, 48, 48))["scores"].shape == (2, 2)
        yield made


def test_a_transformer_ships_too(job):
    examples = job.sample("train")[:64]
    job.config.net = "transformer"
    job.fit(examples)
    files = export_graphs(job.build())  # which compares it with torch at four batch sizes
    answers = run_batches(job, {"classify": OnnxGraph(files["classify.onnx"], "classify")}, examples)
    assert len(answers) == 64 and abs(sum(answers[0]["probabilities"].values()) - 1) < 0.01


def test_answers_to_files(model, cli, tmp_path):
    example = model.task.sample("test")[0]
    raw = base64.b64decode(example["image"].partition(",")[2])
    path = tmp_path / "digit.png"
    path.write_bytes(raw)
    wanted = model.predict(example["image"])
    assert wanted == model.predict(str(path)) == model.predict(path) == model.predict(raw)
    assert wanted == model.predict(read_image(raw, 20, 1))
    assert set(wanted["probabilities"]) == set(STROKES) and wanted["label"] in STROKES
    assert cli("predict", model.where, path).out == model.task.render(wanted) + "\n"
    table = tmp_path / "table.csv"
    table.write_text("image,number\ndigit.png,7\n")
    assert cli("predict", model.where, table, "-o", tmp_path / "out.csv").code == 0
    assert (tmp_path / "out.csv").read_text().splitlines()[1].startswith(f"digit.png,7,{wanted['label']},")
    path.write_bytes(raw[:60])
    done = cli("predict", model.where, path)
    assert done.code == 2 and "digit.png" in done.err and len(done.err.splitlines()) == 1


def test_a_folder_of_pictures(model, cli, tmp_path):
    """A row for each picture in it, those of folders in it too; what is no picture is left out."""
    examples = model.task.sample("test")[:3]
    for name, example in zip(("a/1.png", "a/2.png", "b/1.png"), examples, strict=True):
        (tmp_path / "all" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "all" / name).write_bytes(base64.b64decode(example["image"].partition(",")[2]))
    (tmp_path / "all" / "a" / "notes.txt").write_text("of no use")
    done = cli("predict", model.where, tmp_path / "all", "-o", tmp_path / "labels.csv")
    assert done.code == 0 and "3 files" in done.err
    rows = list(csv.DictReader((tmp_path / "labels.csv").read_text().splitlines()))
    assert [row["image"] for row in rows] == ["a/1.png", "a/2.png", "b/1.png"]
    assert [row["predicted_label"] for row in rows] == [
        a["label"] for a in model.predict([e["image"] for e in examples])
    ]
    (tmp_path / "none").mkdir()
    empty = cli("predict", model.where, tmp_path / "none")
    assert empty.code == 2 and "expected pictures" in empty.err


def test_the_trivial_answer(job):
    learn = [{"image": "", "label": k} for k in "aabc"]
    assert [a["label"] for a in job.trivial(learn, learn[:2])] == ["a", "a"]
