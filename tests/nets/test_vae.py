"""Variational autoencoders beside closed forms, principal components and numerical integrals; tables and pictures as input."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest
import torch
from defusedxml.ElementTree import fromstring
from torch import nn
from torch.distributions import Normal, kl_divergence

import lamella
from lamella.data.media.gallery import scatter
from lamella.data.media.images import encode_png, read_image
from lamella.data.readers import measures
from lamella.decode.likelihood import importance_bounds
from lamella.graphs import OnnxGraph, torch_graphs
from lamella.nets.vae.autoencoder import FAR, VAE
from lamella.nets.vae.losses import divergence
from lamella.registry import find
from lamella.train.export import export_graphs

TASK = "dimensionality-reduction"


@pytest.fixture
def job():
    cls = find(TASK)
    return lambda **config: cls(cls.Config(**config), "tiny")


# --- the net and its loss


def test_divergence_is_that_of_torch():
    torch.manual_seed(0)
    mean, log_variance = torch.randn(5, 3), torch.randn(5, 3)
    wanted = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    assert torch.allclose(divergence(mean, log_variance), wanted, atol=1e-5)


class Straight(nn.Module):
    """A variational autoencoder of three matrices: its best solution is known (Lucas et al., 2019)."""

    def __init__(self, values, dims):
        super().__init__()
        self.mean, self.made = nn.Linear(values, dims), nn.Linear(dims, values)
        self.log_variance = nn.Parameter(torch.zeros(dims))

    def forward(self, x):
        mean, log_variance = self.mean(x), self.log_variance.expand(len(x), -1)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return {"values": self.made(z), "mean": mean, "log_variance": log_variance}


def test_a_straight_net_under_this_loss_is_probabilistic_pca(job):
    chance = np.random.default_rng(0)
    x = chance.standard_normal((500, 2)) @ chance.standard_normal((2, 6)) * 2 + 0.5 * chance.standard_normal((500, 6))
    x = x - x.mean(axis=0)
    x = (x / np.abs(x).max() * FAR).astype(np.float32)  # nothing is so far that it counts as less
    task = job(latent_size=2)
    task.shape_, task.columns_ = [6], [{"name": str(i), "mean": 0.0, "spread": 1.0} for i in range(6)]
    torch.manual_seed(0)
    net, batch = Straight(6, 2), torch.from_numpy(x)
    optimizer = torch.optim.Adam(net.parameters(), 0.02)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, 1200)
    for _ in range(1200):
        optimizer.zero_grad()
        loss = task.loss(net(batch), {"wanted": batch, "known": torch.ones_like(batch)})
        loss.backward()
        optimizer.step()
        schedule.step()
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    plane = vectors[:, -2:]  # of the two largest
    found = np.linalg.qr(net.made.weight.detach().numpy())[0]
    assert np.linalg.svd(plane.T @ found)[1].min() > 0.995, "the same plane"
    noise = values[:4].mean()  # of probabilistic PCA (Tipping and Bishop, 1999): the mean of what is left out
    likelihood = -0.5 * (6 * np.log(2 * np.pi) + np.log(values[-2:]).sum() + 4 * np.log(noise) + 6)
    bound = -6 * (loss.item() + 0.5 * (1 + np.log(2 * np.pi)))  # the loss leaves constants out
    assert bound == pytest.approx(likelihood, abs=0.1) and bound < likelihood + 0.05


def test_what_bends_needs_fewer_numbers_than_principal_components(job):
    turn = np.linspace(-2.5, 2.5, 256)
    x = np.stack([np.sin(turn), np.cos(turn), turn / 2, np.sin(2 * turn)], axis=1)
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype(np.float32)
    task = job(latent_size=1)
    task.shape_, task.columns_ = [4], [{"name": str(i), "mean": 0.0, "spread": 1.0} for i in range(4)]
    torch.manual_seed(0)
    net, batch = task.build(), torch.from_numpy(x)
    optimizer = torch.optim.AdamW(net.parameters(), 5e-3)
    for _ in range(250):
        optimizer.zero_grad()
        task.loss(net(batch), {"wanted": batch, "known": torch.ones_like(batch)}).backward()
        optimizer.step()
    with torch.no_grad():
        mine = (net.eval()(batch)["values"] - batch).square().mean().item()
    straight = np.linalg.eigvalsh(x.T @ x / len(x))[:-1].sum() / 4
    assert mine < 0.3 * straight


def test_bound_meets_the_integral():
    """log p(x) by adding up p(x | z) p(z) on a fine grid: draws come near it, one draw stays below it."""
    chance = np.random.default_rng(1)
    weight, bias = chance.normal(0, 1.5, (1, 9)), chance.normal(0, 1, 9)

    def made(z):
        return {"values": (1 / (1 + np.exp(-(z @ weight + bias)))).astype(np.float32).reshape(-1, 1, 3, 3)}

    x = (chance.random((6, 1, 3, 3)) > 0.5).astype(np.float32)
    cloud = {
        "mean": chance.normal(0, 0.7, (6, 1)).astype(np.float32),
        "log_variance": chance.normal(-0.5, 0.5, (6, 1)).astype(np.float32),
    }
    z = np.linspace(-9, 9, 4001)[:, None]
    p = made(z)["values"].astype(np.float64)
    prior = np.exp(-0.5 * z[:, 0] ** 2) / np.sqrt(2 * np.pi) * (z[1, 0] - z[0, 0])
    exact = [np.log((np.where(one > 0.5, p, 1 - p).reshape(len(z), -1).prod(axis=1) * prior).sum()) for one in x]
    many = importance_bounds(made, x, **cloud, draws=4000)
    assert many == pytest.approx(exact, abs=0.15)
    # One draw, averaged: the evidence lower bound, in closed form but for an integral over the cloud.
    deviation = np.exp(cloud["log_variance"] / 2)
    steps = np.linspace(-6, 6, 801)
    share = np.exp(-0.5 * steps**2) / np.sqrt(2 * np.pi) * (steps[1] - steps[0])
    for one, mean, width, log_variance, best, total in zip(
        x, cloud["mean"], deviation, cloud["log_variance"], many, exact, strict=True
    ):
        q = made(mean + steps[:, None] * width)["values"].astype(np.float64)
        seen = (np.log(np.where(one > 0.5, q, 1 - q)).reshape(len(steps), -1).sum(axis=1) * share).sum()
        lower = seen - divergence(torch.from_numpy(mean[None]), torch.from_numpy(log_variance[None])).item()
        assert lower < best and lower < total


@pytest.mark.parametrize(
    ("shape", "config"), [((3, 12, 12), {"likelihood": "bernoulli", "importance_samples": 7}), ((5,), {})]
)
def test_the_same_answers_over_torch_and_over_onnx(job, shape, config):
    torch.manual_seed(0)
    task = job(latent_size=3, **config)
    names = [{"name": str(i), "mean": float(i), "spread": 2.0} for i in range(shape[0])]
    task.shape_, task.columns_ = list(shape), [] if len(shape) == 3 else names
    net = task.build().eval()
    with torch.no_grad():
        for weight in net.parameters():  # blocks begin as nothing: here they are to do something
            weight.add_(0.05 * torch.randn_like(weight))
    graphs = {k.removesuffix(".onnx"): OnnxGraph(raw, k) for k, raw in export_graphs(net).items()}
    x = np.random.default_rng(0).random((4, *shape)).astype(np.float32)
    x = x.round() if config else x
    for one, other in zip(*(task.decode(g, {"x": x}) for g in (torch_graphs(net), graphs)), strict=True):
        assert one["point"] == pytest.approx(other["point"], abs=1e-3)
        assert one["error"] == pytest.approx(other["error"], rel=1e-3)
        assert one.get("bound") == pytest.approx(other.get("bound"), abs=0.1)
    assert all(len(a["point"]) == 3 for a in task.decode(graphs, {"x": x[:1]}))


def test_a_net_begins_at_the_mean_example():
    mean = np.random.default_rng(0).uniform(0.1, 0.9, (1, 8, 8)).astype(np.float32)
    net = VAE((1, 8, 8), 2, width=16, depth=1, channels=4, bounded=True).begin_at(mean)
    values = net.decode(torch.zeros(1, 2))["values"][0]
    assert np.abs(values.detach().numpy() - mean).max() < 0.3


# --- pictures


def test_a_value_far_from_all_others_counts_as_a_far_one(job):
    """Else one row of a huge value would take the map to itself."""
    torch.manual_seed(0)
    net = VAE((3,), 2, width=16, depth=1)
    rows = torch.tensor([[FAR, 0.5, -FAR], [90.0, 0.5, -50.0]])
    assert torch.equal(*net.encode(rows)["mean"]) and not torch.equal(*net.encode(rows * 0.1)["mean"])
    pictures = VAE((3,), 2, width=16, depth=1, bounded=True)  # from 0 to 1: nothing is far
    assert not torch.equal(*pictures.encode(rows)["mean"])
    task = job(latent_size=2)
    task.shape_, task.columns_ = [3], [{"name": name, "mean": 0.0, "spread": 1.0} for name in "abc"]
    net.eval()
    known = torch.ones(1, 3)
    losses = [task.loss(net(row[None]), {"wanted": row[None], "known": known}).item() for row in rows]
    assert losses[0] == losses[1]


def test_samples_lines_and_maps_of_pictures(trained, cli, tmp_path):
    folder = trained(TASK)
    model = lamella.load(folder)
    pictures = [e["example"] for e in model.task.sample("test")[:30]]
    for i in range(2):
        points = read_image(pictures[i], 16, 1)
        from PIL import Image

        Image.fromarray(points[0]).save(tmp_path / f"{i}.png")

    one, again, other = (lamella.predict(model, seed, make="samples") for seed in ("7", "7", "8"))
    assert one == again and one["samples"] != other["samples"] and len(set(one["samples"])) > 10
    drawn = cli("predict", folder, "7", "--make", "samples", "-o", tmp_path / "samples.svg")
    assert drawn.code == 0, drawn.err
    sheet = fromstring((tmp_path / "samples.svg").read_text())
    assert sum(mark.tag.endswith("image") for mark in sheet) == 64
    wrong = cli("predict", folder, "a picture", "--make", "samples")
    assert wrong.code == 2 and "seed" in wrong.err

    ends = [a["reconstruction"] for a in lamella.predict(model, *pictures[:2])]
    line = lamella.predict(model, pictures[0], make="line", other=pictures[1])
    assert [line["line"][0], line["line"][-1]] == ends and len(set(line["line"])) > 3
    done = cli("predict", folder, tmp_path / "0.png", "--make", "line", "--other", tmp_path / "1.png")
    assert done.out.startswith("<svg") and done.out.count("<image") == len(line["line"])

    table = tmp_path / "pictures.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([["example"], *([p] for p in pictures)])
    assert cli("predict", folder, table, "--make", "map", "-o", tmp_path / "map.svg").code == 0
    assert sum(m.tag.endswith("image") for m in fromstring((tmp_path / "map.svg").read_text())) == 30
    assert cli("evaluate", folder, table, "--json").json["count"] == 30

    (tmp_path / "two").mkdir()
    for i in range(2):
        (tmp_path / f"{i}.png").rename(tmp_path / "two" / f"{i}.png")
    assert cli("predict", folder, tmp_path / "two", "--make", "map").out.count("<image") == 2
    rows = list(csv.DictReader(cli("predict", folder, tmp_path / "two").out.splitlines()))
    points = [a["point"] for a in lamella.predict(model, *pictures[:2])]
    assert [[float(r["predicted_point_1"]), float(r["predicted_point_2"])] for r in rows] == points


def test_black_and_white_pictures_are_cut_at_one_half(job):
    task = job(likelihood="bernoulli")
    task.shape_, task.columns_ = [1, 8, 8], []
    shades = np.linspace(0, 255, 64).astype(np.uint8).reshape(1, 8, 8)
    x = task.collate([task.inputs({"example": encode_png(shades)})])["x"]
    assert (x == (shades > 127.5)).all()


def test_a_map_holds_points_of_one_number_and_of_many():
    for dims in (1, 5):
        assert scatter(np.random.default_rng(0).random((9, dims))).count("<circle") == 9


# --- tables


@pytest.fixture
def flowers(tmp_path):
    """Four measures that follow from one hidden number, a category, a constant and what is missing."""
    chance = np.random.default_rng(0)
    rows = []
    for i in range(240):
        t = chance.uniform(-1, 1)
        height, width, leaf = (round(f + chance.normal(0, 0.02), 3) for f in (10 + 3 * t, 5 + t * t, np.sin(2 * t)))
        colour = "red" if t > 0 else "blue"
        rows.append(
            ["" if i % 40 == 3 else height, width, leaf, colour if i % 60 else "NA", "garden", f"no. {i} of the list"]
        )
    path = tmp_path / "flowers.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([["height", "width", "leaf", "colour", "place", "note"], *rows])
    return path


def test_a_table_from_training_to_map(flowers, cli, tmp_path):
    model_folder, told = tmp_path / "model", []
    model = lamella.train(
        TASK, str(flowers), out=str(model_folder), size="tiny", steps=150, threads=1, latent_size=1, tell=told.append
    )
    said = "\n".join(told)
    assert '"place" is always "garden"' in said and '"note" has 240 different texts' in said
    assert '"height" lacks 6 of 240' in said and '"colour" lacks 4 of 240' in said
    assert model.manifest.scores["held out"]["scores"]["error"]["value"] < 0.4  # 1 for the mean

    rows, _ = model.task.read([str(flowers)])
    mean = model.task.trivial(rows, rows)
    score = lambda answers: model.task.score(answers, rows).values["error"]  # noqa: E731
    assert score(model.predict(rows)) < 0.5 * score(mean)

    done = cli("predict", model_folder, flowers, "-o", tmp_path / "points.csv")
    assert done.code == 0, done.err
    with (tmp_path / "points.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 240 and found[0]["note"] == "no. 0 of the list"
    assert float(found[0]["predicted_point_1"]) == pytest.approx(model.predict(rows[0])["point"][0], abs=1e-3)
    assert set(json.loads(found[0]["predicted_reconstruction"])) == {"height", "width", "leaf", "colour"}

    typed = model.predict("12.9, 6, 0.9, red")
    assert typed["reconstruction"]["colour"] == "red" and abs(typed["reconstruction"]["height"] - 12.9) < 1.5
    assert model.predict('{"height": 12.9, "width": 6, "leaf": 0.9, "colour": "red"}') == typed
    line = lamella.predict(model, "12.9, 6, 0.9, red", make="line", other="7.1, 6, -0.9, blue")["line"]
    assert line[0]["colour"] == "red" and line[-1]["colour"] == "blue"
    assert len(lamella.predict(model, "1", make="samples")["samples"]) == 64
    assert cli("predict", model_folder, flowers, "--make", "map", "-o", tmp_path / "map.svg").code == 0
    assert (tmp_path / "map.svg").read_text().count("<circle") == 240
    in_colours(model_folder, flowers, cli, tmp_path)
    wrong = cli("predict", model_folder, "1 2")
    assert wrong.code == 2 and "4 values" in wrong.err


def in_colours(model_folder, flowers, cli, tmp_path):
    """A map coloured by a column, which need not be one that the model knows."""
    by = ("predict", model_folder, flowers, "--make", "map", "--colour-by")
    assert cli(*by, "colour", "-o", tmp_path / "named.svg").code == 0
    named = (tmp_path / "named.svg").read_text()
    assert ">red<" in named and ">blue<" in named and len(set(re.findall(r'r="3" fill="(#\w+)"', named))) >= 2
    assert cli(*by, "height", "-o", tmp_path / "scale.svg").code == 0
    assert (tmp_path / "scale.svg").read_text().count("<text") == 3
    wrong = cli(*by, "petal")
    assert wrong.code == 2 and "--colour-by petal: expected one of" in wrong.err and '"height"' in wrong.err
    alone = cli("predict", model_folder, flowers, "--colour-by", "colour", "-o", tmp_path / "none.csv")
    assert alone.code and "expected --make map beside it" in alone.err
    from tests.verbs.test_frames import Frame

    rows = list(csv.DictReader(flowers.open(newline="")))
    svg = lamella.predict(str(model_folder), Frame(rows), make="map", colour_by="colour")
    assert svg.startswith("<svg") and "data:image/svg+xml" in svg._repr_html_()


def test_an_infinity_is_an_error_with_file_and_line(tmp_path, job):
    path = tmp_path / "rows.csv"
    for value in ("inf", "-Infinity", "1e999"):
        path.write_text("a,b\n" + "".join(f"{i},{i % 3}\n" for i in range(20)) + f"{value},1\n")
        with pytest.raises(lamella.DataError, match=rf"rows.csv, line 22: expected a finite number in .a., .*{value}"):
            job().read([str(path)])


def test_rows_that_do_not_fit_are_counted_or_stop_it(tmp_path, job):
    path = tmp_path / "rows.csv"
    good = "".join(f"{i},{i % 7}\n" for i in range(300))
    path.write_text("a,b\n" + good + "oops,1\n")
    examples, lines = job().read([str(path)])
    assert len(examples) == 300 and any("rows.csv, line 302" in line and "oops" in line for line in lines)
    path.write_text("a,b\n" + good + "1,2,3\n" * 40)
    with pytest.raises(lamella.DataError, match="40 of 340"):
        job().read([str(path)])
    path.write_text("a,b\n" + "1,2\n" * 20)
    with pytest.raises(lamella.DataError, match="expected columns of numbers or categories"):
        job().read([str(path)])


def test_what_is_missing_counts_in_no_error(job):
    task = job()
    task.columns_, _ = measures.learn_columns([{"a": "1", "b": "2"}, {"a": "3", "b": "6"}, {"a": "", "b": "4"}])
    task.shape_ = [2]
    example, answer = {"example": {"a": "?", "b": "4"}}, {"reconstruction": {"a": 99.0, "b": 4.0}}
    scores = task.score([answer], [example])
    assert scores.values["error"] == 0.0
    assert task.inputs(example)["x"].tolist() == [0.0, 0.0], "the mean"
    out = {"values": torch.tensor([[9.0, 0.5]]), "mean": torch.zeros(1, 1), "log_variance": torch.zeros(1, 1)}
    batch = {name: torch.from_numpy(a[None]) for name, a in task.targets(example).items()}
    assert task.loss(out, batch).item() == pytest.approx(np.log(0.25) / 2, abs=1e-4)


def test_a_table_is_written_back_as_it_was_read(tmp_path, job):
    path = tmp_path / "rows.csv"
    path.write_text("länge;farbe\n1,5;rot\n2,5;blau\n4,5;rot\n")
    examples, _ = job().read([str(path)])
    columns, _ = measures.learn_columns([e["example"] for e in examples])
    for example in examples:
        row = measures.decode(columns, measures.encode(columns, example["example"])[0])
        assert row == {"länge": float(example["example"]["länge"]), "farbe": example["example"]["farbe"]}
