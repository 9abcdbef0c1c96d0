"""A training in phases: each moves its own weights by its own loss, the others stand, and a resumed one ends the same."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torch import nn

import lamella
from lamella.fields import Number, Vector
from lamella.task import Phase, Scores, Task, Training
from lamella.train.gather import gather
from lamella.train.loop import train_task
from lamella.train.process import Interrupt
from lamella.train.settings import Settings

STEPS = 120


class Codes(nn.Module):
    """Five numbers -> two codes -> the five again, and from the codes their sum: what the second phase learns."""

    phase = ""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder, self.prior = nn.Linear(5, 2), nn.Linear(2, 5), nn.Linear(2, 1)
        self.seen: list[str] = []

    def forward(self, x):
        self.seen.append(self.phase)
        codes = self.encoder(x)
        return {"again": self.decoder(codes), "sum": self.prior(codes)[:, 0]}

    def graphs(self):
        return {"forward": ({"x": ("float32", "batch", 5)}, ("again", "sum"))}


class Two(Task):
    Config = msgspec.defstruct("Config", [])
    fields = {"x": Vector("Five numbers of which two are free.")}
    answer = Number("Their sum.")
    target = "sum"
    metric = "error"
    training = Training(
        nets=("perceptron",),
        batch=32,
        rate=15.0,
        phases=(Phase("codes", 2.0, ("encoder", "decoder")), Phase("prior", 1.0, ("prior",))),
        less_is_better=True,
    )

    def sample(self, split):
        rng = np.random.default_rng({"train": 0, "test": 1}[split])
        rows = rng.standard_normal((200, 2)) @ np.array([[1, 0, 1, 2, 0], [0, 1, 1, 0, 2.0]])
        return [{"x": row.round(4).tolist(), "sum": round(float(row.sum()), 4)} for row in rows]

    def inputs(self, example):
        return {"x": np.array(example["x"], np.float32)}

    def targets(self, example):
        return {"wanted": np.float32(example["sum"] / 8)}

    def build(self):
        return Codes()

    def loss(self, outputs, targets):
        if self.state.phase == "codes":
            return (outputs["again"] - targets["x"]).square().mean()
        return (outputs["sum"] - targets["wanted"]).square().mean()

    def decode(self, graphs, inputs):
        return [8 * float(x) for x in graphs["forward"](x=inputs["x"])["sum"]]

    def score(self, answers, examples):
        errors = [(a - e["sum"]) ** 2 for a, e in zip(answers, examples, strict=True)]
        return Scores.from_sums(np.array([[e, 1.0] for e in errors]), {"error": lambda sums: float(sums[0] / sums[1])})


class After(Interrupt):
    """As if somebody pressed Ctrl-C after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.left = steps

    def __call__(self) -> bool:
        self.left -= 1
        self.asked = self.asked or self.left <= 0
        return self.asked


def trained(folder: Path, stop: Interrupt, resume: bool = False, steps: int = STEPS):
    torch.manual_seed(0)
    torch.set_num_threads(1)
    folder.mkdir(exist_ok=True)
    job, lines = Two(), []
    settings = Settings(steps=steps, resume=resume, threads=1)
    result = train_task(job, gather(job, ["sample"], (), None, 0), settings, folder, {}, lines.append, stop)
    return result, lines


def test_each_phase_moves_its_own_weights_by_its_own_loss(tmp_path):
    result, lines = trained(tmp_path, Interrupt())
    assert [line for line in lines if line.startswith("phase")] == ["phase 1 of 2: codes", "phase 2 of 2: prior"]
    assert result.run.begun == 80 and result.run.step == STEPS, "two thirds of the budget, and the rest"
    assert result.run.net.seen.count("codes") >= 80 and result.run.net.seen.count("prior") >= 40
    assert set(result.run.optimizer.names) == {"prior.weight", "prior.bias"} and set(result.run.fixed) == {
        f"{layer}.{part}" for layer in ("encoder", "decoder") for part in ("weight", "bias")
    }
    losses = [loss for _, loss in result.losses]
    assert losses[79] < 0.1 * losses[0] and losses[-1] < 0.2 * losses[80], "both fall, the second from its own start"
    net = result.run.averaged()
    for name, weight in net.named_parameters():
        kept = result.run.fixed.get(name)
        assert kept is None or torch.equal(weight, kept), "what the first phase made stands"
    x = torch.tensor([e["x"] for e in Two().sample("test")])
    assert float((net(x)["again"] - x).square().mean()) < 0.1


@pytest.mark.parametrize("steps", [30, 80, 100], ids=["in the first phase", "between them", "in the second"])
def test_a_resumed_training_ends_bit_equal(tmp_path, steps):
    whole, _ = trained(tmp_path / "whole", Interrupt())
    with pytest.raises(KeyboardInterrupt, match=r"stopped at step \d+"):
        trained(tmp_path / "parts", After(steps))
    resumed, lines = trained(tmp_path / "parts", Interrupt(), resume=True)
    assert abs(int(lines[0].removeprefix("resumed at step ")) - steps) < 2 and resumed.losses == whole.losses
    for one, other in zip(whole.run.averaged().parameters(), resumed.run.averaged().parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_checkpoint_of_another_phase_is_refused(tmp_path, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path, After(100))
    monkeypatch.setattr(Two, "training", Training(batch=32))
    with pytest.raises(lamella.ModelError, match="phase that the task does not have"):
        trained(tmp_path, Interrupt(), resume=True)
