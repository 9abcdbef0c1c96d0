"""There and back again, for any text: pieces, normalised forms, and documents whose segments nobody changed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamella.data.documents.formats import open_document
from lamella.data.text.pieces import Pieces, learn, normalise
from lamella.errors import LamellaError

LETTERS = "abc éßœ ABC.,!?'\"-1%s{}<>&"
PIECES = Pieces(learn([LETTERS, *LETTERS.replace(" ", ""), "the baker sells a cake", "été à côté"] * 20, 90, ["%s"]))
quick = settings(max_examples=80, deadline=None)


@quick
@given(st.text())
def test_normalised_twice_is_normalised_once(text):
    once = normalise(text)
    assert normalise(once) == once and "\n" not in once


@quick
@given(st.text(LETTERS, max_size=60))
def test_pieces_and_back(text):
    """Of letters that the vocabulary holds, whatever their order."""
    text = normalise(text)
    assert PIECES.decode(PIECES.encode([text])) == [text]


LINES = st.lists(st.sampled_from(["# Head", "Some *text* here.", "", "- a list", "| a | b |", "`code`", "1", "00:00:01,000 --> 00:00:02,000",
                                  "<p>Hello <b>you</b></p>", "msgid \"Hello\"", "msgstr \"\"", "é 🎉", "  indented", "<!-- no -->", "&amp;", "[a](b)"]), max_size=12)  # fmt: skip


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
@quick
@given(lines=LINES, end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_a_document_whose_segments_stay_is_the_same_bytes(suffix, lines, end, last):
    raw = (end.join(lines) + (end if last and lines else "")).encode()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{suffix}")
        path.write_bytes(raw)
        try:
            document = open_document(path)
        except LamellaError:
            return
        assert document.render(list(document.segments)) == raw
