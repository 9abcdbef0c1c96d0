"""JSON whose keys are data: texts under their labels, labels of texts, several texts in one row."""

from __future__ import annotations

import json

import pytest

from lamella import registry
from lamella.data.readers.json_maps import rows_of_map
from lamella.data.readers.tables import read_table

GOOD = [f"I like the {word}" for word in ["film", "book", "song", "cake", "boat", "tea"]]
BAD = [f"I hate the {word}" for word in ["rain", "bill", "tax", "noise", "queue", "dust", "mud"]]
FORMS = {
    "a label each": dict.fromkeys(GOOD, "good") | dict.fromkeys(BAD, "bad"),
    "texts of a label": {"good": GOOD, "bad": BAD},
    "as many of each": {"good": GOOD, "bad": BAD[:6]},
    "intents": {"intents": [{"tag": "good", "patterns": GOOD, "responses": ["Yes."]}, {"tag": "bad", "patterns": BAD}]},
    "an array": [{"intent": "good", "examples": GOOD}, {"intent": "bad", "examples": BAD}],
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", FORMS)
def test_texts_and_labels(tmp_path, form, indent):
    path = tmp_path / "data.json"
    path.write_text(json.dumps(FORMS[form], indent=indent))
    rows, _ = registry.find("text-classification")().read([str(path)])
    wanted = [(text, "good") for text in GOOD] + [(text, "bad") for text in BAD[: 6 if "many" in form else 7]]
    assert [(row["text"], row["label"]) for row in rows] == wanted


@pytest.mark.parametrize(
    "value",
    [
        {"text": ["a b"] * 12, "label": ["x y"] * 12},  # columns
        {"review_x": GOOD * 2, "mood": ["good", "bad"] * 6},  # columns of other names
        {f"width of leaf {n}": n % 3 for n in range(20)},  # one row of numbers
        {f"c{n}": "abc"[n % 3] for n in range(20)},  # one row of words
        {"good": ["fine"], "bad": ["poor", "worse"]},  # few
        [["a", "b"]],
    ],
)
def test_what_is_no_map(value):
    assert rows_of_map(json.dumps(value), {"text", "label", "review"}) == []


def test_columns_of_json_stay_columns(tmp_path):
    path = tmp_path / "pairs.json"
    path.write_text(json.dumps({"english": GOOD, "french": BAD[:6]}))
    table = read_table(path, {"source": ("english",), "target": ("french",)})
    assert table.rows[0] == {"source": GOOD[0], "target": BAD[0]}
