"""The recipe of shortlists: what a piece is translated by, how anything may be spelled, and what is copied."""

from pathlib import Path

import numpy as np

import lamella
from lamella.data.text.pieces import END, Pieces
from lamella.tasks.translation.shortlist import Shortlist, pack
from recipes.translation import shortlist

PIECES = Pieces((Path(lamella.__file__).parent / "models" / "en-de+es+fr+zh" / "vocabulary.model").read_bytes())


def ids_of(text):
    return PIECES.encode([text])[0]


def test_pieces_find_their_translations():
    rows = [([5, 6], [7, 8]), ([5], [7]), ([6, 9], [8, 10])] * 20
    source, target, p = shortlist.translations(rows, 11)
    best = {int(a): int(b) for a, b, q in zip(source, target, p) if q > 0.5}
    assert best == {5: 7, 6: 8, 9: 10}
    assert np.allclose(np.bincount(source, p)[[5, 6, 9]], 1)


def test_what_a_sentence_may_be_translated_with(monkeypatch):
    monkeypatch.setattr(shortlist, "OFTEN", 25)
    pairs = [("the house is red", "la maison est rouge"), ("the house", "la maison")] * 12 + [("the", "la")] * 12
    rows = [(ids_of(a), ids_of(b)) for a, b in pairs]
    mark, size = PIECES.mark("<2fr>"), len(PIECES)
    lists = shortlist.learn(PIECES, mark, rows)
    short = Shortlist(pack([lists], (size, size)), (size, size), shared=True)

    def candidates(text):
        ids, allowed = short.candidates(np.array([[mark, *ids_of(text), END]]))
        return {*ids[allowed[0]].tolist()}

    assert {*ids_of("la maison est rouge")} <= candidates("the house is red")
    assert {*ids_of("q7! %s")} <= candidates("the"), "anything may be spelled"
    assert PIECES.mark("house") in candidates("house"), "without the space before it, as in `greenhouse`"
    assert len(candidates("the house is red")) < size / 10
