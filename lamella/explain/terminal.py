"""An explanation as text for a terminal, coloured if the terminal supports it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lamella.explain.characters import clean, paint
from lamella.explain.pictures import over_time

TOP = 8  # units that get a bar
BAR = 24  # characters of the longest one
LEAST = 0.02  # share of a sentence that is shown
SHADES = " .:-=+*#%@"
LEVELS = "▁▂▃▄▅▆▇█"


def picture(data: dict[str, Any], colour: bool = False, width: int = 80) -> str:
    """An explanation as lines."""
    if "sections" in data:
        from lamella.explain.report_model import lines

        return "\n".join([f"{clean(data['model'])}: {clean(data['task'])}", *lines(data["sections"], colour, width)])
    focus = data["focus"]
    out = [
        _clip(clean(data["rendered"]), 2 * width) or "(nothing)",
        f"{clean(focus['name'])}: {focus['value']:.4g}",
        *map(clean, data["notes"]),
        "",
    ]
    for name, field in data["fields"].items():
        drawn = field_picture(field, data["example"][name], colour, width)
        out += [*([f"{clean(name)}:"] if drawn and len(data["fields"]) > 1 else []), *drawn, *([""] if drawn else [])]
    heaviest = sorted(
        ((u["weight"], clean(u["label"])) for f in data["fields"].values() for u in f["units"]),
        key=lambda u: -abs(u[0]),
    )[:TOP]
    out += bars(heaviest, colour)
    for pair in data["pairs"]:
        labels = [clean(data["fields"][name]["units"][i]["label"]) for name, i in pair["units"]]
        out.append(f"{pair['weight']:+10.3g}  {' and '.join(labels)} together")
    if data["attention"]:
        title = data["attention"].get("title")
        out += ["", *([f"{title}:"] if title else []), *alignment(data["attention"])]
    if data["by kind"].get("kind") == "sentences":
        out += ["", f"{data['by kind']['title']}:", *sentences(data["by kind"]["sentences"], width)]
    if data["by kind"].get("kind") == "reasons":
        out += ["", *because(data["by kind"])]
    return "\n".join([*out, "", clean(data["faithfulness"]["sentence"])])


def because(found: dict[str, Any]) -> list[str]:
    """The rules that lead to an answer, each with the facts that it stands on, and what is answered without them.

    >>> print(*because({"title": "Why", "reasons": [{"rule": "X a Y: X b Y", "facts": [["u", "a", "v"]]}], "sentence": "So."}), sep="\\n")
    Why:
      X a Y: X b Y
          u | a | v
    So.
    """
    out = [f"{found['title']}:"] if found["reasons"] else []
    for reason in found["reasons"]:
        out += [f"  {clean(reason['rule'])}", *("      " + clean(" | ".join(fact)) for fact in reason["facts"])]
    return [*out, clean(found["sentence"])]


def bars(units: Sequence[tuple[float, str]], colour: bool) -> list[str]:
    """Weights and labels as bars.

    >>> print("\\n".join(bars([(2.0, "good"), (-1.0, "not")], False)))
            +2  ++++++++++++++++++++++++  good
            -1  ------------              not
    """
    most = max((abs(w) for w, _ in units), default=0.0) or 1.0
    out = []
    for weight, label in units:
        bar = ("+" if weight >= 0 else "-") * round(BAR * abs(weight) / most)
        out.append(f"{weight:+10.3g}  {paint(f'{bar:{BAR}}', weight / most, colour, front=True)}  {label}")
    return out


def field_picture(field: dict[str, Any], value: Any, colour: bool, width: int) -> list[str]:
    """A field's value with its units marked; no line if there are only labels."""
    weights = np.array([unit["weight"] for unit in field["units"]])
    if not len(weights):
        return []
    shares = weights / (np.abs(weights).max() or 1.0)
    if field["kind"] == "text":
        return _text(value, field["units"], shares, colour)
    if field["kind"] == "image":
        return _grid(shares.reshape(field["rows"], field["columns"]), colour)
    if field["kind"] == "series":
        return _series(field, shares, colour, width)
    if field["kind"] == "audio":
        return _series(over_time(field), shares, colour, len(field["values"]))
    return []


def _text(text: str, units: Sequence[dict[str, Any]], shares: Any, colour: bool) -> list[str]:
    out, at = "", 0
    for unit, share in zip(units, shares, strict=True):
        word = text[unit["start"] : unit["end"]]
        if not colour and abs(share) >= 0.25:
            word = f"[{word}]" if share > 0 else f"({word})"
        out += clean(text[at : unit["start"]], keep=True) + paint(clean(word, keep=True), share, colour)
        at = unit["end"]
    return [out + clean(text[at:], keep=True)] + ([] if colour else ["[for the answer] (against it)"])


def _grid(shares: Any, colour: bool) -> list[str]:
    """A heat map, two characters a patch: darker is stronger, - marks patches that oppose the answer."""
    out = []
    for row in shares:
        cells = [("-" if x < 0 else " ") + SHADES[min(9, int(10 * abs(x)))] for x in row]
        out.append("".join(paint(cell if not colour else "  ", x, colour) for cell, x in zip(cells, row, strict=True)))
    return [f"|{line}|" for line in out]


def _series(field: dict[str, Any], shares: Any, colour: bool, width: int) -> list[str]:
    """The latest values as columns, with a mark of the weight under each."""
    values = np.array(field["values"], np.float64)
    first = max(0, len(values) - width)
    low, spread = values[first:].min(), np.ptp(values[first:]) or 1.0
    weights = np.zeros(len(values))
    for unit, share in zip(field["units"], shares, strict=True):
        weights[unit["start"] : unit["end"]] = share
    levels = [LEVELS[int(7 * (v - low) / spread)] for v in values[first:]]
    top = "".join(paint(c, w, colour, front=True) for c, w in zip(levels, weights[first:], strict=True))
    marks = "".join(" " if abs(w) < 0.1 else "+" if w > 0 else "-" for w in weights[first:])
    return [top, marks]


def alignment(attention: dict[str, Any]) -> list[str]:
    """For each part of the answer, the units it depends on."""
    out = []
    width = min(16, max(map(len, attention["rows"]), default=0))
    for row, weights in zip(attention["rows"], attention["weights"], strict=True):
        best = sorted(range(len(weights)), key=lambda i: -weights[i])[:3]
        named = [f"{clean(attention['columns'][i])} {weights[i]:.0%}" for i in best if weights[i] >= 0.15]
        out.append(f"{clean(row):{width}} <- {', '.join(named) or 'nothing by itself'}")
    return out


def sentences(parts: Sequence[dict[str, Any]], width: int) -> list[str]:
    """The share of each sentence of a text; those with next to nothing are left out.

    >>> sentences([{"number": 1, "text": "Hello.", "share": 0.004}, {"number": 2, "text": "It is new.", "share": 0.99}], 80)
    [' 99%  sentence 2: It is new.']
    """
    return [
        _clip(f"{part['share']:4.0%}  sentence {part['number']}: {clean(part['text'])}", width)
        for part in parts
        if part["share"] >= LEAST
    ]


def _clip(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
