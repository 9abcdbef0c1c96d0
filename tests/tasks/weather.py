"""Forecast tomorrow's temperature from those of the last days."""

import math
import random
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from lamella.data.readers.tables import read_table
from lamella.errors import DataError
from lamella.fields import Number, Series
from lamella.task import Scores, Task, Training


class Config(msgspec.Struct):
    days: Annotated[int, Meta(description="How many days it looks back.", ge=2)] = 14
    hidden: Annotated[int, Meta(description="Width of the net.", ge=1)] = 128


class Weather(Task):
    fields = {"past": Series("Temperatures of the days before, the latest last.")}
    answer = Number("Tomorrow's temperature.")
    target = "tomorrow"
    metric = "error"
    training = Training(nets=("perceptron",), less_is_better=True)

    mean_: float
    spread_: float

    def read(self, paths, columns=None):
        table = read_table(paths, {"past": ("past",), "tomorrow": ("tomorrow",)}, columns)
        return [dict(row) for row in table.rows], table.report.lines()

    def sample(self, split):
        """Waves of five to nine days around a level, and some noise."""
        chance, found = random.Random(split), []
        for _ in range({"train": 1500, "test": 200}[split]):
            level, height, shift, pace = (chance.uniform(*r) for r in ((-5, 25), (2, 8), (0, 6.3), (0.7, 1.25)))
            days = [round(level + height * math.sin(shift + pace * day) + chance.gauss(0, 0.3), 1) for day in range(15)]
            found.append({"past": days[:14], "tomorrow": days[14]})
        return found

    def fit(self, examples):
        past = np.concatenate([numbers(e["past"]) for e in examples])
        self.mean_, self.spread_ = float(past.mean()), float(past.std())

    def inputs(self, example):
        past = numbers(example["past"])
        if len(past) < self.config.days:
            raise DataError(f"expected {self.config.days} temperatures or more, received {len(past)}.")
        return {"past": ((past[-self.config.days :] - self.mean_) / self.spread_).astype(np.float32)}

    def targets(self, example):
        return {"tomorrow": np.float32((float(example["tomorrow"]) - self.mean_) / self.spread_)}

    def build(self):
        from torch import nn

        from lamella.nets.layers import Linear

        class Perceptron(nn.Module):
            def __init__(self, days, hidden):
                super().__init__()
                self.days = days
                layers = Linear(days, hidden), nn.ReLU(), Linear(hidden, hidden), nn.ReLU(), Linear(hidden, 1)
                self.layers = nn.Sequential(*layers)

            def forward(self, past):
                return {"tomorrow": past[:, -1] + self.layers(past)[:, 0]}  # (B, days) -> (B,): as today, and a change

            def graphs(self):
                return {"forward": ({"past": ("float32", "batch", self.days)}, ("tomorrow",))}

        return Perceptron(self.config.days, self.config.hidden)

    def loss(self, outputs, targets):
        return (outputs["tomorrow"] - targets["tomorrow"]).float().square().mean()

    def decode(self, graphs, inputs):
        out = graphs["forward"](past=inputs["past"])["tomorrow"]
        return [round(float(t) * self.spread_ + self.mean_, 2) for t in out]

    def score(self, answers, examples):
        errors = [abs(answer - float(e["tomorrow"])) for answer, e in zip(answers, examples, strict=True)]
        return Scores(len(errors), lambda weights: {"error": float(np.average(errors, weights=weights))})


def numbers(value):
    """A list of numbers, or a text or a table's cell with spaces between them, as an array."""
    try:
        return np.array(value.split() if isinstance(value, str) else value, dtype=np.float64)
    except ValueError as error:
        raise DataError(f"expected numbers with spaces between them, received {value!r}.") from error
