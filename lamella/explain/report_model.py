"""The explanation of a whole model as parts of a page, and as lines for a terminal: a section for each kind of picture."""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from lamella.explain.characters import clean, paint
from lamella.explain.markup import image, note, tint

PALETTE = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#888888",
    "#000000",
)  # Paul Tol's bright one
LONG = 160  # characters of an example
Section = dict[str, Any]


def sections(listed: Sequence[Section]) -> str:
    """Sections -> HTML, every word escaped; a kind that is not known is left out."""
    out = []
    for section in listed:
        draw = DRAWN.get(section["kind"])
        if draw:
            out.append(f"<h2>{escape(section['title'])}</h2>{note(section['note'])}{draw(section)}")
    return "".join(out)


def _example(example: dict[str, Any]) -> str:
    if "image" in example:
        return image(example["image"], 56, f"{example['value']:.3g}")
    if "text" in example:
        text, start, end = str(example["text"]), int(example.get("start", 0)), int(example.get("end", 0))
        first = max(0, start - LONG // 2)
        shown = escape(text[first:start]), escape(text[start:end]), escape(text[end : first + LONG])
        return f"{shown[0]}<mark>{shown[1]}</mark>{shown[2]}" if end else escape(text[:LONG])
    if "series" in example:
        return escape(" ".join(f"{v:g}" for v in example["series"][-12:]))
    return escape(str(example.get("label", "")))


def _units(section: Section) -> str:
    out = []
    for item in section["items"]:
        rows = "".join(
            f"<tr><td>{e['value']:.3g}</td><td>{_example(e)}</td><td>{escape(str(e.get('label', '')))}</td></tr>"
            for e in item["examples"]
        )
        out.append(f"<details><summary>unit {escape(str(item['unit']))}</summary><table>{rows}</table></details>")
    return "".join(out)


def _coloured(section: Section) -> str:
    cells = zip(section["text"], section["values"], strict=False)
    letters = "".join(f'<span style="{tint(v)}">{escape(c)}</span>' for c, v in cells)
    return f'<p class="code">{letters}</p>'


def _filters(section: Section) -> str:
    return f'<div class="tiles">{"".join(image(p, 56) for p in section["pictures"])}</div>'


def _map(section: Section) -> str:
    points = section["points"]
    if not points:
        return ""
    at = np.array([[p["x"], p["y"]] for p in points], np.float64)
    low, spread = at.min(axis=0), np.maximum(np.ptp(at, axis=0), 1e-9)
    labels = sorted({str(p.get("label", "")) for p in points})
    colours = {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(labels)}
    dots = "".join(
        f'<circle cx="{20 + 560 * x:.1f}" cy="{400 - 380 * y:.1f}" r="4" fill="{colours[str(p.get("label", ""))]}" '
        f'fill-opacity="0.7"><title>{escape(str(p.get("label", "")))} {escape(str(p.get("text", "")))}</title></circle>'
        for p, (x, y) in zip(points, (at - low) / spread, strict=True)
    )
    key = " ".join(f'<span style="color:{colours[n]}">&#9679;</span> {escape(n)}' for n in labels if n)
    return f'<svg viewBox="0 0 600 420" width="600" role="img" aria-label="map">{dots}</svg><p>{key}</p>'


def _ablation(section: Section) -> str:
    most = max((abs(r["change"]) for r in section["rows"]), default=0.0) or 1.0
    rows = "".join(
        f"<tr><td>{escape(str(r['part']))}</td><td>{r['value']:.4g}</td>"
        f'<td style="{tint(r["change"] / most)}">{r["change"]:+.3g}</td></tr>'
        for r in section["rows"]
    )
    head = f"<tr><th>without</th><th>{escape(str(section['metric']))} ({section['base']:.4g} with all)</th><th>change</th></tr>"
    return f"<table>{head}{rows}</table>"


def _calibration(section: Section) -> str:
    rows = "".join(
        f'<tr><td>{b["sure"]:.0%}</td><td><span class="bar" style="width:{160 * b["right"]:.0f}px;background:#28a"></span> '
        f"{b['right']:.0%}</td><td>{b['count']}</td></tr>"
        for b in section["bins"]
        if b["count"]
    )
    head = "<tr><th>sure</th><th>right</th><th>answers</th></tr>"
    return f"<table>{head}{rows}</table>" + note(f"Error: {section['error']:.3g}")


DRAWN: dict[str, Callable[[Section], str]] = {
    "units": _units,
    "coloured text": _coloured,
    "filters": _filters,
    "map": _map,
    "ablation": _ablation,
    "calibration": _calibration,
}


# ---- for the terminal --------------------------------------------------------------------------------------------


def lines(listed: Sequence[Section], colour: bool, width: int) -> list[str]:
    """Sections -> lines; of pictures only how many there are."""
    out: list[str] = []
    for section in listed:
        out += ["", clean(section["title"]), clean(section["note"])]
        out += _lines(section, colour, width)
    return out


def _lines(section: Section, colour: bool, width: int) -> list[str]:
    kind = section["kind"]
    if kind == "units":
        return [f"  unit {clean(i['unit']):>5}  {_best(i['examples'], width - 20)}" for i in section["items"]]
    if kind == "coloured text":
        marked = zip(section["text"], section["values"], strict=False)
        return ["".join(paint(clean(c, keep=True), v, colour) for c, v in marked)]
    if kind == "ablation":
        head = f"  {'with all of it':32} {section['base']:10.4g}  {clean(section['metric'])}"
        return [head, *(f"  {clean(r['part']):32} {r['value']:10.4g} {r['change']:+10.3g}" for r in section["rows"])]
    if kind == "calibration":
        bins = [b for b in section["bins"] if b["count"]]
        return [f"  sure {b['sure']:4.0%}  right {b['right']:4.0%}  of {b['count']}" for b in bins]
    count = len(section.get("pictures") or section.get("points") or ())
    return [f"  ({count} {'pictures' if kind == 'filters' else 'points'}: see them with -o report.html)"]


def _best(examples: Sequence[dict[str, Any]], width: int) -> str:
    """The examples with the largest values of a unit, on one line."""
    words = [clean(e.get("label") or e.get("text") or "")[:width] for e in examples]
    return ", ".join(dict.fromkeys(w for w in words if w))[: max(20, width)]
