"""JSON of texts and labels whose keys are data, as a program that knows intents keeps them.

    {"greet": ["hello", "good day"], "bye": ["see you"]}                 texts under their label
    {"good film": "positive", "I fell asleep": "negative"}               a label for each text
    {"intents": [{"tag": "greet", "patterns": ["hello", "good day"]}]}   a row for several texts

None of these has a column for each field; each becomes rows of a text and a label.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

FEWEST = 10  # texts, fewer than which may as well be the values of one row
TEXTS = ("patterns", "examples", "utterances", "texts", "sentences", "questions", "phrases", "samples")


def rows_of_map(text: str, names: Collection[str]) -> list[dict[str, Any]]:
    """The rows of an object whose keys are labels, or texts; [] for any other, and where no label is looked for.

    names: the folded names that the columns may have which are looked for.

    >>> bad = [f"not at all {n}" for n in range(9)]
    >>> rows_of_map(json.dumps({"good": ["I like it", "so good"], "bad": bad}), {"text", "label"})[:2]
    [{'text': 'I like it', 'label': 'good'}, {'text': 'so good', 'label': 'good'}]
    """
    if "label" not in names or not text.lstrip().startswith("{"):
        return []
    try:
        whole = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return []
    if not isinstance(whole, dict) or len(whole) < 2 or {k.casefold() for k in whole} & set(names):
        return []
    values = list(whole.values())
    if all(isinstance(value, str) and value for value in values):
        # Names of columns are words; texts have several, and labels come again. Numbers are rather one row of a table.
        spaced = sum(" " in key.strip() for key in whole)
        few = len(set(values)) <= len(values) // 2
        fits = len(values) >= FEWEST and few and spaced > len(values) / 2
        return [{"text": key, "label": value} for key, value in whole.items()] if fits else []
    if not all(isinstance(value, list) and value and all(isinstance(item, str) for item in value) for value in values):
        return []
    every = [item for value in values for item in value]
    # Lists of one length are the columns of a table too, unless each of them holds texts.
    uneven = len({len(value) for value in values}) > 1
    worded = all(sum(" " in item for item in value) >= len(value) / 2 for value in values)
    fits = len(every) >= FEWEST and (uneven or worded) and len(set(every)) > len(every) / 2
    return [{"text": item, "label": key} for key, value in whole.items() for item in value] if fits else []


def apart(row: Any, names: Collection[str]) -> list[Any]:
    """A row that has several texts under one label as a row for each of them; any other as it is.

    >>> apart({"tag": "bye", "patterns": ["see you", "bye"], "responses": ["Bye!"]}, {"text", "label"})
    [{'tag': 'bye', 'text': 'see you'}, {'tag': 'bye', 'text': 'bye'}]
    """
    if "label" not in names or not isinstance(row, dict) or "text" in row:
        return [row]
    key = next((key for key in row if key.casefold() in TEXTS), None)
    if key is None or not isinstance(row[key], list) or not all(isinstance(item, str) for item in row[key]):
        return [row]
    rest = {name: value for name, value in row.items() if not isinstance(value, list | dict)}
    return [rest | {"text": item} for item in row[key]]
