"""How often people meet each language, put into the net's bias; and what that is worth on development texts.

    python -m recipes.languages.prior              a table: what other priors would give, on dev.tsv

Trained on 30 languages alike, the net takes a short Spanish sentence for Galician as readily as the other way about. But
few of the texts that people have are in Galician. So the ten promised languages start ahead of the others by a log-odds
of `AHEAD`, and Galician, which is the nearest to two of them, a little further behind. Both are chosen on development
texts alone: the ten gain little by more, and the others keep 93% of their accuracy, on whole sentences and on short
parts of them. A bias learned for each language by itself, as in logistic regression, was no better on texts that it had
not seen. The graph stays as it is, 30 numbers in it change; no label is dropped.
"""

from __future__ import annotations

import io
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

import lamella
from lamella.model import Model
from lamella.tasks.text_classification.linear import logs
from recipes.languages.common import CACHE, PROMISED, read_items
from recipes.languages.extract import DENSE
from recipes.languages.split import crop

AHEAD = 3.0  # the promised languages, in log-odds
BEHIND = {"gl": 1.0}
TRIED = [(ahead, behind) for ahead in (0.0, 1.0, 2.0, 2.5, 3.0, 4.0) for behind in (0.0, 1.0, 2.0, 99.0)]

Array = NDArray[Any]


def biases(labels: Sequence[str], ahead: float = AHEAD, behind: Mapping[str, float] = BEHIND) -> Array:
    """What is added to each label's score, (L,).

    >>> biases(["gl", "pt", "uk"], 3.0, {"gl": 1.0}).tolist()
    [-1.0, 3.0, 0.0]
    """
    return np.array([ahead * (label in PROMISED) - behind.get(label, 0.0) for label in labels])


def favour(model: Model) -> bytes:
    """The model's graph with the prior in the bias of its linear part, which the task then counts by its share."""
    graph = onnx.load_model_from_string(model.files["classify.onnx"])
    bias = next(tensor for tensor in graph.graph.initializer if tensor.name == "net.wide.bias")
    moved = numpy_helper.to_array(bias) + biases(model.task.labels_) / model.task.mix_[1]
    bias.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), bias.name))
    out = io.BytesIO()
    onnx.save_model(graph, out)
    return out.getvalue()


def scored(model: Model, texts: Sequence[str]) -> Array:
    """The logarithms of the labels' likelihoods, (N, L), unrounded."""
    deep, wide = model.task.mix_
    rows = []
    for text in texts:
        out = model.graphs["classify"](**model.task.collate([model.task.inputs({"text": text})]))
        rows.append(deep * logs(out["deep"])[0] + wide * logs(out["wide"])[0])
    return np.array(rows)


def table() -> None:
    """What priors give on development texts of 20 characters or more, whole and cut to 20 to 40."""
    from recipes.languages.train import SMALL

    model, chance = lamella.load(str(SMALL)), random.Random(1)  # it has the prior, which is taken off below
    labels = np.array(model.task.labels_)
    promised = np.isin(labels, PROMISED)
    dev = [(item.text, item.language) for item in read_items(CACHE / "dev.tsv")]
    cut = [(crop(text, label in DENSE, chance), label) for text, label in dev]
    sides = [[row for row in dev if len(row[0]) >= 20], [row for row in cut if 20 <= len(row[0]) <= 40]]
    scores = [(scored(model, [text for text, _ in rows]), np.array([label for _, label in rows])) for rows in sides]
    print("ahead  gl behind   whole: the ten  others, mean   cut: the ten  others, mean")
    for ahead, behind in TRIED:
        figures = []
        moved = biases(labels.tolist(), ahead, {"gl": behind}) - biases(labels.tolist())
        for said, wanted in scores:
            right = labels[(said + moved).argmax(1)] == wanted
            others = [right[wanted == label].mean() for label in labels[~promised] if (wanted == label).any()]
            figures += [100 * right[np.isin(wanted, PROMISED)].mean(), 100 * float(np.mean(others))]
        print(f"{ahead:5.1f} {behind:10.1f}" + "{:17.2f}{:15.2f}{:15.2f}{:15.2f}".format(*figures), flush=True)


if __name__ == "__main__":
    table()
