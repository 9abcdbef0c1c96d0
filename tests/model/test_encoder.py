"""The encoder that comes with the package: what it is, what it fills in, and that other tasks can begin from it."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

import lamella
from lamella.data.text.pieces import Pieces
from lamella.model import shipped
from lamella.train import further
from lamella.train.adopt import fill

FOLDER = shipped.FOLDER / "encoder"


@pytest.fixture(scope="module")
def encoder():
    return lamella.load(FOLDER)


def test_what_is_shipped(encoder):
    assert encoder.manifest.task == "fill-mask" and encoder.manifest.precision == "int8"
    files = [path for path in FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12e6 and not (FOLDER / "training").exists()
    assert encoder.trusted >= {"fill.onnx"}
    card = (FOLDER / "card.md").read_text(encoding="utf-8")
    assert "licence" in card and "95% interval" in card and "recipes/encoder" in card
    assert not re.search(r"/(home|root|work|tmp)/", card + (FOLDER / "model.json").read_text(encoding="utf-8"))


def test_it_knows_its_languages(encoder):
    for text, words in (
        ("She was born ___ London.", {"in"}),
        ("I want to go ___ the cinema tonight.", {"to"}),
        ("Je ne sais ___ où il habite.", {"pas"}),
        ("Ich habe heute keine ___ .", {"Zeit"}),
    ):
        found = {filling["words"][0] for filling in encoder.predict(text)["fillings"]}
        assert found & words, (text, found)


def test_its_graph_is_the_net_that_its_task_builds(encoder):
    """With other heads the same weights are another net, which knows little."""
    net = encoder.task.build()
    assert not fill(net, further.weights_of(encoder)).missing
    ids = np.array([encoder.task._ids("She was born ___ London and never went to the ___ .")])
    for at in np.flatnonzero(ids[0] == encoder.task.mask):
        asked = np.eye(ids.shape[1], dtype=np.float32)[[at]]
        with torch.no_grad():
            built = net.eval().fill(torch.from_numpy(ids), torch.from_numpy(asked))["log_probability"].numpy()
        graph = encoder.graphs["fill"](pieces=ids, asked=asked)["log_probability"]
        likely = np.exp(graph[0]) > 0.01
        assert np.abs(built - graph)[0, likely].max() < 0.25


def test_its_weights_and_vocabulary_can_be_begun_from(encoder):
    origin = further.open_origin("encoder", "text-classification")
    assert origin.transfer and origin.model.where == encoder.where
    known = encoder.task.transfer.encoder(encoder.task, further.weights_of(encoder))
    assert known.depth == encoder.task.size.depth and known.weights["table"].shape[1] == known.width
    pieces = Pieces(known.vocabulary)
    for text in (
        "Nobody who saw this film will forget how it ends.",
        "Personne n'oubliera la fin de ce film.",
        "Niemand, der diesen Film gesehen hat, vergisst das Ende.",
        "没有人会忘记结局。",
    ):
        assert pieces.letters_per_piece([text]) > further.LETTERS
    for text in (
        "Nikt nie zapomni zakończenia.",
        "Никто не забудет, чем кончается этот фильм.",
    ):
        assert pieces.letters_per_piece([text]) < further.LETTERS
