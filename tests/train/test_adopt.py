"""Weights by name, out of a model's graphs and into a net: what a training that begins from another model stands on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import lamella
from lamella.errors import ModelError, UsageError
from lamella.graphs import torch_graphs
from lamella.graphs.int8 import quantize
from lamella.graphs.weights import named_weights
from lamella.model import run_batches
from lamella.model.shipped import translator
from lamella.nets.transformer.encoder_decoder import EncoderDecoder, Options
from lamella.registry import find
from lamella.train.adopt import fill
from lamella.train.export import export_graphs
from tests.oracles import shaken

TEXTS = ["The file could not be opened.", "Save as..."]


def test_a_shipped_model_becomes_a_net_again():
    """It is int8: the bytes are multiplied out, and the translations are the same."""
    model = translator("en", "fr")
    job = type(model.task)(model.task.config, model.manifest.size)
    weights = job.transfer.adopt(job, model.task, named_weights(model.files))
    net = job.build()
    filled = fill(net, weights)
    assert not filled.missing and not filled.odd
    graphs = torch_graphs(net.eval())
    answers = job.answers([{"text": t} for t in TEXTS], lambda rows: run_batches(job, graphs, rows))
    assert answers == model.predict(TEXTS)


def test_weights_of_int8_are_near_those_of_float32():
    torch.manual_seed(1)
    # Shaken, since arrays that are equal, as biases of zeros, are stored once and under one name.
    net = shaken(EncoderDecoder(300, 64, 1, 1, 4, 128, options=Options(decoder="ssru", tied=False, output_bias=True)))
    files = export_graphs(net)
    plain, small = named_weights(files), named_weights({name: quantize(raw) for name, raw in files.items()})
    # Of the output the exporter keeps its transpose under a name of its own.
    assert set(dict(net.named_parameters())) - {"output_table"} <= set(plain)
    for name, array in plain.items():
        assert small[name].shape == array.shape
        assert np.abs(small[name] - array).max() <= np.abs(array).max() / 100, name


def test_what_does_not_fit_is_named():
    net = nn.Linear(3, 2)
    filled = fill(net, {"weight": np.ones((2, 3), np.float32), "bias": np.ones(3), "head": np.ones(1)})
    assert (filled.taken, filled.missing, filled.odd, filled.unused) == (["weight"], [], ["bias"], ["head"])
    assert net.weight.eq(1).all() and filled.lines() == ["weights: 1 taken, 1 new (bias), 1 not used"]
    with pytest.raises(ModelError, match="has in another shape bias, so it is another net"):
        filled.all_or_error("x")
    other = find("text-classification")()
    with pytest.raises(UsageError, match="cannot begin from a model of"):
        other.transfer.adopt(other, lamella.load(translator("en", "fr").where).task, {})
