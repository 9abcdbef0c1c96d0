"""Training on another device: on a pretended one, which refuses what a real one refuses, and by what is asked of a real one."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch

import lamella
from lamella import machine
from lamella.errors import UsageError
from lamella.graphs import torch_graphs
from lamella.options import all_options
from lamella.registry import find
from lamella.train import engine, process
from lamella.train.gather import Gathered
from lamella.train.settings import Settings
from tests.train.pretended import NAME, PretendedDevice
from tests.train.test_engine import ball, go, squares

train_loop = importlib.import_module("lamella.train.loop")
checkpoint = importlib.import_module("lamella.train.checkpoint")
WEATHER = str(Path(__file__).parents[1] / "tasks" / "weather.py")


def cases() -> list[tuple[str, str]]:
    """Each task with each family of net that it can have."""
    found = []
    for word in [*lamella.tasks(), WEATHER]:
        net = next((o for o in all_options(find(word).Config) if o.name == "net"), None)
        found += [(word, name) for name in (net.kind.split("|") if net else [""])]
    return found


def trained(word: str, net: str, device: str, out: Path):
    """The losses and the looks of three steps."""
    cls = find(word)
    job = cls(cls.Config(**({"net": net} if net else {})), "tiny")
    learn = job.sample("train")[:90]
    gathered = Gathered(learn, held=[], watched=learn[:4], lines=[])  # of which everything is known, names of facts too
    settings = Settings(steps=3, threads=1, device=device)
    out.mkdir()
    torch.manual_seed(0)
    done = train_loop.train_task(job, gathered, settings, out, {}, lambda line: None, process.Interrupt())
    return job, done


@pytest.mark.parametrize(("word", "net"), cases(), ids=lambda value: Path(value).stem)
def test_a_net_trains_as_on_the_processor(word, net, tmp_path, monkeypatch):
    """Every operation of a training, its looks at the metric and its checkpoint happen on the device, with equal results."""
    monkeypatch.setattr(machine, "precision", lambda device: "float32")
    _, here = trained(word, net, "cpu", tmp_path / "here")
    with PretendedDevice() as device:
        _, there = trained(word, net, NAME, tmp_path / "there")
    assert device.made_here == [], "a net or a loss makes an array on the processor at each step"
    assert device.operations > 50 and there.run.device.type == NAME
    assert there.losses == here.losses and len(here.losses) == 3
    assert there.run.looks.points == here.run.looks.points and here.run.looks.points


def test_a_model_of_another_device_is_written(tmp_path, monkeypatch):
    """From the sample to the model folder; the device is named beforehand and kept in the model."""
    monkeypatch.setattr(machine, "precision", lambda device: "float32")
    monkeypatch.setattr(machine, "devices", lambda: ["cpu", NAME])
    models, lines = [], []
    for name in ("cpu", "auto"):
        with PretendedDevice():
            options = {"size": "tiny", "steps": 5, "threads": 1, "tell": lines.append, "device": name}
            models.append(lamella.train(WEATHER, "sample", out=str(tmp_path / name), **options))
    assert [m.manifest.training["device"] for m in models] == ["cpu", NAME]
    assert any(line.startswith("net: ") and f"on {NAME}" in line for line in lines)
    for name in ("net.onnx", "training/log.jsonl"):
        files = [next(iter((tmp_path / d).glob(name.replace("net", "*")))) for d in ("cpu", "auto")]
        assert files[0].read_bytes() == files[1].read_bytes()
    assert models[0].manifest.scores == models[1].manifest.scores


@pytest.mark.parametrize("order", [(NAME, "cpu"), ("cpu", NAME)], ids=lambda order: " then ".join(order))
def test_a_checkpoint_goes_on_on_either(order, tmp_path):
    def begin(device: str) -> engine.Run:
        net = ball().net  # from one seed
        return engine.Run.start(net, 0.01, device=device)

    straight = ball()
    wanted = [step.loss for step in go(straight, squares, engine.Budget(steps=8))]
    with PretendedDevice():
        first, losses = begin(order[0]), []
        for step in go(first, squares, engine.Budget(steps=8)):
            losses.append(step.loss)
            if step.index == 4:
                first.best = [mean.clone() for mean in first.average]
                checkpoint.save(first, tmp_path, {})
                break
        second = begin(order[1])
        assert checkpoint.load(second, tmp_path, {})
        moved = (*second.optimizer.masters, *second.optimizer.first, *second.optimizer.second, *second.average)
        assert {tensor.device.type for tensor in (*moved, *second.best)} == {order[1]}
        losses += [step.loss for step in go(second, squares, engine.Budget(steps=8))]
        ends = [mean.cpu() for mean in second.average]
    assert losses == wanted and all(torch.equal(a, b) for a, b in zip(ends, straight.average, strict=True))


def test_the_pretended_device_refuses_what_a_real_one_does():
    with PretendedDevice() as device:
        x = torch.ones(2, 3).to(NAME)
        with pytest.raises(RuntimeError, match="all tensors on one device"):
            x + torch.ones(3)
        y = torch.arange(6, device=NAME).view(2, 3) + x * 2
        assert y.device.type == NAME and y.cpu().tolist() == [[2, 3, 4], [5, 6, 7]] and float(y.sum()) == 27

        def loss() -> torch.Tensor:
            return torch.ones(3)

        loss()
    assert len(device.made_here) == 1 and "test_devices" in device.made_here[0]


def test_batches_go_to_a_gpu_from_pinned_memory(monkeypatch):
    """Without one: what is asked of torch. While it computes the next batch is made, and never on the processor."""
    asked = []
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: asked.append("pinned") or tensor)
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *to, **how: asked.append((tensor.dtype, *to, how)) or tensor)
    cuda = torch.device("cuda:0")
    engine.send(np.zeros(2), cuda)
    assert asked == ["pinned", (torch.float32, cuda, {"non_blocking": True})], "float64 is sent in half of the bytes"
    assert engine.send(np.zeros(2), torch.device("cpu")).dtype == torch.float64 and len(asked) == 2
    store = engine.Store.of([{"x": np.array([n])} for n in range(6)])
    made = []

    def collate(rows):
        made.append(len(rows))
        return {"x": np.stack([row["x"] for row in rows])}

    for device, ahead in ((torch.device("cpu"), 0), (cuda, 1)):
        made.clear()
        feed = engine.Feed(engine.Batches(store, collate, tokens=2), device, skip=0)
        feed.take(), feed.prepare(), feed.prepare()
        assert len(made) == 1 + ahead


def test_devices_are_found_by_name(monkeypatch):
    monkeypatch.setattr(machine, "devices", lambda: ["cpu"])
    assert machine.find_device("auto") == machine.find_device("cpu") == "cpu"
    for word in ("cuda", "mps", "cuda:1", "abacus"):
        with pytest.raises(UsageError, match=f"--device {word}: expected one of cpu, which is what torch finds"):
            machine.find_device(word)
    monkeypatch.setattr(machine, "devices", lambda: ["cpu", "cuda:0", "cuda:1"])
    assert [machine.find_device(word) for word in ("auto", "cuda", "cuda:1")] == ["cuda:0", "cuda:0", "cuda:1"]


def test_a_device_that_is_not_there_is_refused_before_anything_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "devices", lambda: ["cpu"])
    with pytest.raises(UsageError, match="--device cuda: expected one of cpu"):
        lamella.train(WEATHER, str(tmp_path / "none.csv"), out=str(tmp_path / "m"), device="cuda")
    assert not (tmp_path / "m").exists()


def test_the_number_type_is_measured_on_the_device(monkeypatch):
    asked = []

    def peaks(kinds, seconds, device):
        asked.append(device)
        if device == "mps":
            raise TypeError("BFloat16 is not supported on MPS")
        return [9.0, 1.0] if device == "cuda:0" else [1.0, 1.0]

    monkeypatch.setattr(machine, "peaks", peaks)
    assert [machine.precision(d) for d in ("cuda:0", "mps", "cpu")] == ["bfloat16", "float32", "float32"]
    assert asked == ["cuda:0", "mps", "cpu"]


def test_graphs_over_torch_compute_where_the_net_is():
    """Arrays in float64, which not every accelerator has, are sent in the net's own type."""
    job = find(WEATHER)(find(WEATHER).Config(), "tiny")
    job.fit(job.sample("train")[:50])
    torch.manual_seed(0)
    net = job.build().eval()
    [(name, (inputs, _))] = list(net.graphs().items())[:1]
    arrays = {
        k: np.ones([3 if isinstance(a, str) else a for a in axes], np.float64) for k, (_, *axes) in inputs.items()
    }
    wanted = torch_graphs(net)[name](**arrays)
    with PretendedDevice():
        found = torch_graphs(net.to(NAME))[name](**arrays)
    assert json.dumps({k: v.tolist() for k, v in found.items()}) == json.dumps(
        {k: v.tolist() for k, v in wanted.items()}
    )
