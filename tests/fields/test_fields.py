"""Every kind of value: what it takes, what it refuses and how, and that nobody outside asks which kind one is."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import lamella
from lamella import fields
from lamella.fields import (
    Audio,
    Boxes,
    Field,
    Id,
    Image,
    Items,
    Label,
    Mask,
    Number,
    Region,
    Row,
    Series,
    Text,
    TooLarge,
    Vector,
)

ROOT = Path(lamella.__file__).parent
KINDS = {name for name in fields.__all__ if isinstance(getattr(fields, name), type)} - {"Limits", "Parts", "TooLarge"}
BOX = {"label": "cat", "box": [0, 1, 8, 9.5]}
PNG = "data:image/png;base64,iVBORw0KGgo="


class Limits:
    characters, values = 100, 5


# of each kind: values from Python, those of requests, and what neither takes
TAKEN = {
    Text: (["a", ""], ["a"], [1, None, b"a", ["a"]]),
    Label: (["a"], ["a", 3], [None, ["a"]]),
    Id: (["a", 7], ["a", 7], [True, 1.5, None]),
    Number: ([1, "2.5"], [1, "2.5"], [True, "x", float("nan"), None]),
    Series: ([[1, 2], "1 2", np.arange(3)], [[1, 2], "1, 2"], [[1, "x"], [float("inf")], 5]),
    Vector: ([[1.0, 2.0]], [[1.0, 2.0], "1 2"], [["x"], 5]),
    Row: ([{"a": 1}, "1, x", [1, None]], [{"a": 1}, '{"a": 1}', "1, x"], [7, None, '{"a"']),
    Image: (["a.png", PNG, b"x", np.zeros((2, 2))], [PNG], [7, None, {"a": 1}]),
    Audio: (["a.wav", b"x"], ["data:audio/wav;base64,UklGRg=="], [7, None]),
    Boxes: ([[BOX], [], json.dumps([BOX])], [[BOX]], [[{"box": [0, 0, 1, 1]}], [{**BOX, "box": [3, 0, 3, 1]}], "x", 5]),
    Region: (
        ["top", "0,8,16,16", [0, 8, 16, 16], PNG],
        ["left", "0,8,16,16", [0, 8, 16, 16], PNG],
        [7, None, {"a": 1}],
    ),
    Items: ([["a", 7], "a; b", ("a",), []], [["a", 7], "a; b"], [[1.5], [["a"]], {"a": 1}, 7]),
    Mask: (["a.png", np.zeros((2, 2), int)], [PNG], ["a.jpg", np.zeros((2, 2, 3)), np.zeros((2, 2)), 7]),
}


def test_no_kind_is_left_out():
    answers = {"Conclusion", "Field", "Gallery", "Marked", "Matches", "Ranking", "Transcript"}
    assert {cls.__name__ for cls in TAKEN} == KINDS - answers
    assert len({cls().kind for cls in TAKEN}) == len(TAKEN)


@pytest.mark.parametrize("cls", TAKEN, ids=lambda cls: cls.__name__)
def test_values_are_taken_or_refused_with_one_line(cls):
    field, (python, requests, wrong) = cls("What it is."), TAKEN[cls]
    for value in python:
        field.check("value", value)
    for value in requests:
        json.dumps(field.receive("value", value, Limits()))
    for value in wrong:
        with pytest.raises(lamella.UsageError, match=r"value.*: expected .+, received .+") as caught:
            field.check("value", value)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 300
    for value in (True, None, 1.5j):
        with pytest.raises(lamella.UsageError, match=r"expected .+, received"):
            field.receive("value", value, Limits())


@pytest.mark.parametrize("cls", [Image, Audio, Mask], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize("value", ["/etc/passwd", "http://localhost/a.png", 7, {"a": 1}, "7", "1, 2"])
def test_a_request_never_names_a_file(cls, value):
    with pytest.raises(lamella.UsageError, match="expected data:"):
        cls().receive("value", value, Limits())


@pytest.mark.parametrize("cls", TAKEN, ids=lambda cls: cls.__name__)
def test_schema_form_and_report(cls):
    field = cls("What it is.")
    schema = json.loads(json.dumps(field.schema(Limits())))
    assert schema, "every kind says what it is"
    assert field.facts() == {"kind": cls.__name__.lower(), "description": "What it is.", "control": field.control}
    form = (ROOT / "web" / "form.js").read_text(encoding="utf-8")
    named = re.search(r"const CONTROLS = \{(.*?)\}", form).group(1)
    assert field.control in ("picture", "json") or re.search(rf"\b{field.control}\b", named)
    assert set(field.show(TAKEN[cls][0][0])) <= {"text", "image", "series", "boxes"}
    media = {Image: np.zeros((28, 28), np.uint8), Mask: np.zeros((28, 28), np.uint8), Audio: np.zeros(8000, np.float32)}
    parts = field.split(media.get(cls, TAKEN[cls][0][0]))
    assert len(parts.units) <= 60 and parts.without(()) is not None and json.dumps(parts.facts()) is not None


def test_a_picture_is_no_number_and_no_row():
    assert Image().schema(Limits()) == {"type": "string", "pattern": "^data:image/"}


def test_large_values_are_refused_as_such():
    for cls, value in ((Series, [1] * 6), (Vector, [1] * 6), (Boxes, [BOX] * 6)):
        with pytest.raises(TooLarge, match="at most 5"):
            cls().receive("value", value, Limits())


def test_a_lossy_mask_says_what_to_do():
    with pytest.raises(lamella.UsageError, match=r"JPEG.*Save it as PNG"):
        Mask().receive("mask", "data:image/jpeg;base64,x", Limits())


def test_cells_of_a_table():
    assert Text().cells("a") == "a" and Label().cells({"label": "a", "p": 1}) == {"label": "a", "p": 1}
    assert Vector().cells({"point": [1.0, 2.0], "made": PNG}) == {"point_1": 1.0, "point_2": 2.0, "made": PNG}
    assert Mask().cells({"mask": PNG, "shares": {"sky": 0.5}}) == {"mask": PNG, "share_sky": 0.5}


def test_rows_know_their_columns():
    columns = ({"name": "height", "mean": 1.5, "spread": 0.1}, {"name": "colour", "names": ["red"], "shares": [1.0]})
    row = Row("A flower.", columns)
    assert row.facts()["columns"] == [{"name": "height", "mean": 1.5}, {"name": "colour", "names": ["red"]}]
    assert set(row.schema(Limits())["anyOf"][0]["properties"]) == {"height", "colour"}
    assert row.check("row", '{"height": 1}') == {"height": 1}
    assert row.check("row", [1.5, None]) == {"height": 1.5, "colour": None}
    assert Row().check("row", [1.5, None, "1,299.50"]) == '1.5,,"1,299.50"'


def test_files_that_a_table_names_are_beside_it(tmp_path):
    (tmp_path / "a.png").write_bytes(b"x")
    assert Image().locate("a.png", tmp_path) == str(tmp_path / "a.png")
    assert [Image().locate(v, tmp_path) for v in ("b.png", PNG, 7, "a\0")] == ["b.png", PNG, 7, "a\0"]
    (tmp_path / "a.txt").write_text(" 1 2 3\n", encoding="utf-16")
    assert Series().open("past", tmp_path / "a.txt") == "1 2 3" and Text().open("text", tmp_path / "a.txt") == "1 2 3"


def asked(source: str) -> Iterator[str]:
    """The lines that ask which kind a value's field is: isinstance, type(x) is, or the name of the kind compared."""
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lamella.fields")
        for alias in node.names
    } & KINDS - {"Field"}
    names = {cls().kind for cls in TAKEN}
    for node in ast.walk(tree):
        text = ast.unparse(node) if isinstance(node, ast.Call | ast.Compare) else ""
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if text else set()
        if text.startswith(("isinstance(", "issubclass(")) and used & imported:
            yield text
        if isinstance(node, ast.Compare) and (
            ("type(" in text and used & imported)
            or (re.search(r"field\.kind|kind_of\(", text) and any(f"'{name}'" in text for name in names))
        ):
            yield text


def test_nobody_asks_which_kind_a_field_is():
    found = {
        str(path.relative_to(ROOT)): lines
        for path in ROOT.rglob("*.py")
        if "fields" not in path.relative_to(ROOT).parts and (lines := list(asked(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


def test_asking_is_seen():
    source = "from lamella.fields import Text\nisinstance(x, Text)\ntype(x) is Text\nfield.kind == 'text'\nisinstance(x, str)"
    assert len(list(asked(source))) == 3


def test_a_field_of_ones_own_is_enough():
    """A task outside may bring a kind: what it leaves out has a default."""

    class Colour(Field, frozen=True, tag="colour"):
        pass

    field = Colour("A colour.")
    assert field.check("c", "red") == "red" and field.facts()["control"] == "json" and field.split("red").units == []
