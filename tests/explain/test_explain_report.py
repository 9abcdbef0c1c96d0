"""Explanations as pages, as pictures in a terminal and as JSON: everything is escaped, nothing fetched; the command line."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from lamella.explain.explanation import Explanation

# --- reports


HOSTILE = '<script>alert("x")</script> \x1b[2J & </style>'


def hostile(kind: str) -> Explanation:
    units = {
        "text": {"kind": "text", "units": [{"label": HOSTILE, "start": 0, "end": len(HOSTILE), "weight": 1.0}]},
        "image": {"kind": "image", "rows": 1, "columns": 1, "units": [{"label": HOSTILE, "row": 0, "column": 0, "weight": -1.0}]},
        "series": {"kind": "series", "values": [1.0], "units": [{"label": HOSTILE, "start": 0, "end": 1, "weight": 1.0}]},
        "row": {"kind": "row", "units": [{"label": HOSTILE, "weight": 0.0}]},
    }[kind]  # fmt: skip
    value = {"row": {HOSTILE: HOSTILE}, "series": [1.0], "image": "https://example.org/" + HOSTILE}.get(kind, HOSTILE)
    data = {
        "task": HOSTILE, "model": HOSTILE, "example": {HOSTILE: value}, "rendered": HOSTILE, "method": "ablation",
        "answer": {"label": HOSTILE, "probabilities": {HOSTILE: 1.0}}, "focus": {"name": HOSTILE, "value": 1.0},
        "fields": {HOSTILE: {**units, "taken away": HOSTILE}}, "notes": [HOSTILE],
        "pairs": [{"units": [[HOSTILE, 0], [HOSTILE, 0]], "weight": 1.0}],
        "attention": {"rows": [HOSTILE], "columns": [HOSTILE], "weights": [[1.0]]},
        "faithfulness": {"sentence": HOSTILE},
        "by kind": {"kind": "plane", "point": [0.0], "places": [0.0], "made": [["https://example.org/x.png", HOSTILE]]},
    }  # fmt: skip
    return Explanation(data)


class Tags(HTMLParser):
    """Which tags a page opens and closes, and what it fetches."""

    void = ("meta", "img", "br", "image", "polyline", "polygon")

    def __init__(self, page):
        super().__init__()
        self.open, self.seen, self.fetched = [], set(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.seen.add(tag)
        self.fetched += [v for k, v in attributes if k in ("src", "href", "srcset", "action") and v]
        if tag not in self.void:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.void:
            assert self.open.pop() == tag


@pytest.mark.parametrize("kind", ["text", "image", "series", "row"])
def test_reports_escape_everything_and_fetch_nothing(kind):
    found = hostile(kind)
    page = Tags(found.to_html())
    assert page.open == [] and "script" not in page.seen and not page.fetched
    assert "default-src 'none'" in found.to_html() and found.to_html().count("</style>") == 1
    assert found._repr_html_() in found.to_html()
    for colour in (False, True):
        text = found.to_text(colour)
        assert "\x1b[2J" not in text and ("\x1b" in text) == (colour and kind != "row")
    assert json.loads(found.to_json()) == json.loads(json.dumps(found.data)) and "\n" not in repr(found)


def test_reports_of_models_escape_everything_and_fetch_nothing():
    example = {"text": HOSTILE, "label": HOSTILE, "value": 1.0, "start": 1, "end": 3}
    sections = [
        {"kind": "units", "items": [{"unit": "1", "examples": [example, {"image": "http://x/", "value": 1.0}]}]},
        {"kind": "coloured text", "text": HOSTILE, "values": [0.5] * len(HOSTILE), "unit": "1"},
        {"kind": "filters", "pictures": ["http://example.org/a.png"]},
        {"kind": "map", "points": [{"x": 0, "y": 1, "label": HOSTILE, "text": HOSTILE}]},
        {"kind": "ablation", "metric": HOSTILE, "base": 1.0, "rows": [{"part": HOSTILE, "value": 0.5, "change": -0.5}]},
        {"kind": "calibration", "bins": [{"sure": 0.9, "right": 0.8, "count": 5}], "error": 0.1},
        {"kind": "of the future"},
    ]
    data = {"task": HOSTILE, "model": HOSTILE, "sections": [{"title": HOSTILE, "note": HOSTILE, **s} for s in sections]}
    found = Explanation(data)
    page = Tags(found.to_html())
    assert page.open == [] and "script" not in page.seen and not page.fetched
    text = found.to_text()
    assert "\x1b" not in text and "sure  90%  right  80%  of 5" in text and "without" not in text


# --- the command line


def test_a_report_is_written_whole_and_never_over_another(trained, cli, tmp_path):
    folder, page = trained("text-classification"), tmp_path / "why.html"
    done = cli("explain", folder, "The zip is not bad.", "-o", page)
    assert done.code == 0 and done.out == "" and page.read_text().startswith("<!doctype html>")
    again = cli("explain", folder, "The zip is not bad.", "-o", page)
    assert again.code == 2 and "--force" in again.err
    other = cli("explain", folder, "The zip is not bad.", "-o", tmp_path / "why.pdf")
    assert other.code == 2 and ".html or .json" in other.err
    assert cli("explain", folder, "one", "two").code == 2
    assert "no such file" in cli("explain", folder, "missing.csv").err
    (tmp_path / "a.txt").write_text("The zip is not bad.\n")
    (tmp_path / "a.csv").write_text("text,label\nThe zip is not bad.,positive\nIt broke.,negative\n")
    first = cli("explain", folder, tmp_path / "a.txt", "--json", "-o", tmp_path / "why.json").json
    assert json.loads((tmp_path / "why.json").read_text()) == first
    assert first == cli("explain", folder, tmp_path / "a.csv", "--json").json
    units = first["fields"]["text"]["units"]
    assert [first["example"]["text"][u["start"] : u["end"]] for u in units] == [u["label"] for u in units]


def test_the_picture_in_a_terminal_is_plain_where_nobody_looks(trained, cli):
    done = cli("explain", trained("text-classification"), "The zip is not bad.", "--pairs")
    assert done.code == 0 and "\x1b" not in done.out and "log-odds of" in done.out
    assert re.search(r"^ +[+-][\d.e-]+ +[+-]+ +\w+", done.out, re.MULTILINE), done.out
