"""Graphs: the exporter's second trace where it is needed, and only there. What nets become is tested with the nets."""

from __future__ import annotations

import onnx
import pytest
import torch
from torch import nn

from lamella.train.export import arrays_of, export_graphs


class Net(nn.Module):
    """A graph of one input (B, 4), and what is done with it."""

    def __init__(self, done) -> None:
        super().__init__()
        self.layer, self.done = nn.Linear(4, 4), done

    def answer(self, x):
        return {"y": self.done(self.layer(x))}

    def graphs(self):
        return {"answer": ({"x": ("float32", "batch", 4)}, ("y",))}


@pytest.mark.parametrize(
    ("done", "traces"),
    [
        (lambda x: x.float().square(), 0),
        (lambda x: 1 - x, 0),
        (lambda x: torch.nn.functional.rms_norm(x, (4,), x[0], eps=1e-5), 0),
        (lambda x: 2 * torch.nn.functional.rms_norm(x, (4,), eps=0.1) + x, 0),
        (lambda x: torch.stack([a * 2 for a in x.unbind(1)]), 1),  # a list, unless it is taken apart
        (lambda x: torch.nn.functional.softshrink(x), 1),  # ONNX lacks it
    ],
)
def test_operators_are_taken_apart_where_they_must_be(done, traces, monkeypatch):
    """`export_graphs` compares each graph with its net, so what comes back is right."""
    calls = []
    plain = torch.export.ExportedProgram.run_decompositions
    monkeypatch.setattr(
        torch.export.ExportedProgram,
        "run_decompositions",
        lambda self, *args, **kwargs: calls.append(1) or plain(self, *args, **kwargs),
    )
    graph = onnx.load_from_string(export_graphs(Net(done))["answer.onnx"]).graph
    assert len(calls) == traces
    assert not any("Sequence" in node.op_type for node in graph.node)
    assert {i.name for i in graph.initializer} >= {"net.layer.bias"}


def test_ids_of_a_vocabulary_that_holds_the_padding_alone():
    """Items without names that say anything have no words: export asked for one between 1 and 1."""
    net = Net(None)
    net.vocabulary, net.graphs = 1, lambda: {"answer": ({"x": ("int64", "batch", 4)}, ("y",))}
    assert arrays_of(net, "answer", {"batch": 3})["x"].tolist() == [[0] * 4] * 3
    net.vocabulary = 5
    assert (
        arrays_of(net, "answer", {"batch": 30})["x"].min() > 0
        and arrays_of(net, "answer", {"batch": 30})["x"].max() < 5
    )
