"""An explanation as one HTML page with its style and pictures inside, without scripts and without requests elsewhere.

Every word from an example, an answer or a model is escaped, and pictures must be `data:image/` URIs. A content security
policy in the page tells the browser the same. Green supports the answer, red opposes it; hovering over a unit shows its
weight, and the bars below show it without colour.
"""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np

from lamella.explain.markup import AGAINST, FOR, image, note, polyline, tint
from lamella.explain.pictures import over_time

TOP = 12  # units that get a bar
REPEATED = 40_000  # characters of a picture that is drawn again for each part of an answer
STYLE = """
.lamella{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem;color:#1a1a1a;background:#fff}
.lamella h1{font-size:1.3rem;margin:.2rem 0}.lamella h2{font-size:1.05rem;margin:1.4rem 0 .3rem}
.lamella p{margin:.3rem 0}.lamella .note{color:#555;font-size:.9rem}
.lamella .words{font-size:1.15rem;line-height:2;white-space:pre-wrap}.lamella .words span{border-radius:3px;padding:.1em 0}
.lamella table{border-collapse:collapse;font-size:.9rem}.lamella td,.lamella th{padding:.15rem .4rem;text-align:left}
.lamella .matrix td{min-width:1.6rem;height:1.4rem;padding:0;text-align:center;font-size:.7rem}
.lamella .matrix th.up{writing-mode:vertical-rl;transform:rotate(180deg);font-weight:400;padding:.3rem 0}
.lamella svg{max-width:100%;height:auto;overflow:visible}.lamella img{image-rendering:pixelated}
.lamella .bar{display:inline-block;height:.8rem;border-radius:2px;vertical-align:middle}
.lamella .tiles{display:flex;flex-wrap:wrap;gap:.3rem}.lamella .code{font-family:ui-monospace,monospace;white-space:pre-wrap}
@media(prefers-color-scheme:dark){.lamella{color:#e8e8e8;background:#161616}.lamella .note{color:#aaa}}
@media(prefers-color-scheme:dark){html{background:#161616}}
"""
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(data: dict[str, Any]) -> str:
    """An explanation, of one answer or of a model -> an HTML document."""
    title = escape(f"{data['task']}: {data.get('rendered') or 'the whole model'}"[:120])
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title></head><body>{fragment(data)}</body></html>\n"
    )


def fragment(data: dict[str, Any]) -> str:
    """The same as a part of another page, such as a notebook."""
    if "sections" in data:
        from lamella.explain.report_model import sections

        body = f"<h1>{escape(str(data['task']))}</h1>{note(str(data['model']))}{sections(data['sections'])}"
    else:
        body = _answer(data)
    return f'<div class="lamella"><style>{STYLE}</style>{body}</div>'


def _answer(data: dict[str, Any]) -> str:
    focus = data["focus"]
    out = [
        f"<h1>{escape(str(data['rendered']))}</h1>",
        note(f"{data['task']}, {focus['name']}: {focus['value']:.4g}; by {data['method']}"),
        *(note(line) for line in data["notes"]),
    ]
    for name, field in data["fields"].items():
        out += [f"<h2>{escape(name)}</h2>", _field(field, data["example"][name], data["answer"])]
    units = sorted(
        ((u["weight"], str(u["label"])) for f in data["fields"].values() for u in f["units"]), key=lambda u: -abs(u[0])
    )[:TOP]
    out += ["<h2>What counts most</h2>", bars(units), _how(data)]
    if data["pairs"]:
        labels = [
            (p["weight"], " and ".join(str(data["fields"][n]["units"][i]["label"]) for n, i in p["units"]))
            for p in data["pairs"]
        ]
        out += ["<h2>Weak alone, strong together</h2>", bars(labels)]
    if data["attention"]:
        title = data["attention"].get("title", "Which part of the answer hangs on which unit")
        out += [f"<h2>{escape(title)}</h2>", _squares(data) or _matrix(data["attention"])]
    if data["by kind"]:
        out.append(_by_kind(data["by kind"], data["fields"]))
    probabilities = data["answer"].get("probabilities") if isinstance(data["answer"], dict) else None
    if probabilities:
        best = sorted(probabilities.items(), key=lambda p: -p[1])[:TOP]
        out += ["<h2>How likely each label is</h2>", bars([(p, label) for label, p in best])]
    return "".join([*out, "<h2>Is it true?</h2>", f"<p>{escape(data['faithfulness']['sentence'])}</p>"])


def _how(data: dict[str, Any]) -> str:
    """How units are removed, as a sentence."""
    if data["method"] != "ablation":
        return note("A weight is a unit's share of what separates the example from an empty one.")
    how = sorted({f["taken away"] for f in data["fields"].values()})
    return note(f"What is taken away is {', '.join(how)}.")


def bars(units: Sequence[tuple[float, str]]) -> str:
    """Weights and labels as bars in a table.

    >>> "&lt;b&gt;" in bars([(1.0, "<b>")])
    True
    """
    most = max((abs(w) for w, _ in units), default=0.0) or 1.0
    rows = [
        f'<tr><td>{w:+.3g}</td><td><span class="bar" style="width:{160 * abs(w) / most:.0f}px;{tint(np.sign(w))}"></span></td>'
        f"<td>{escape(label)}</td></tr>"
        for w, label in units
    ]
    return f"<table>{''.join(rows)}</table>"


def _field(field: dict[str, Any], value: Any, answer: Any) -> str:
    weights = np.array([u["weight"] for u in field["units"]])
    shares = weights / (float(np.abs(weights).max(initial=0.0)) or 1.0)
    if field["kind"] == "text":
        return _words(str(value), field["units"], shares)
    if field["kind"] == "image":
        return _heat(str(value), field, shares, answer)
    if field["kind"] == "series":
        return _line(field, shares)
    if field["kind"] == "audio":
        player = f'<p><audio controls src="{escape(str(value), quote=True)}"></audio></p>'
        return (player if str(value).startswith("data:audio/") else "") + _line(over_time(field), shares)
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = "; ".join(value)
    rows = value.items() if isinstance(value, dict) else [("", value)]
    cells = [f"<tr><th>{escape(str(k))}</th><td>{escape(str(v))}</td></tr>" for k, v in rows]
    return f"<table>{''.join(cells)}</table>"


def _words(text: str, units: Sequence[dict[str, Any]], shares: Any) -> str:
    out, at = [], 0
    for unit, share in zip(units, shares, strict=True):
        word = escape(text[unit["start"] : unit["end"]])
        out += [escape(text[at : unit["start"]])]
        out += [f'<span style="{tint(share)}" title="{unit["weight"]:+.3g}">{word}</span>']
        at = unit["end"]
    return f'<p class="words">{"".join(out)}{escape(text[at:])}</p>'


def _heat(uri: str, field: dict[str, Any], shares: Any, answer: Any) -> str:
    """The picture, and beside it the same with tinted patches and the answer's boxes, if any."""
    rows, columns = field["rows"], field["columns"]
    cells = "".join(
        f'<rect x="{u["column"]}" y="{u["row"]}" width="1" height="1" fill="rgb({FOR if s > 0 else AGAINST})" '
        f'fill-opacity="{0.75 * abs(s):.2f}"><title>{u["weight"]:+.3g}</title></rect>'
        for u, s in zip(field["units"], shares, strict=True)
    )
    under = f'<image href="{escape(uri, quote=True)}" width="{columns}" height="{rows}" preserveAspectRatio="none"/>'
    under = under if uri.startswith("data:image/") else ""
    svg = f'<svg viewBox="0 0 {columns} {rows}" width="240" role="img" aria-label="heat map" style="image-rendering:pixelated">'
    return f"{image(uri, 240, 'the picture')} {svg}{under}{cells}{_boxes(answer, columns / field.get('side', columns))}</svg>"


def _boxes(answer: Any, scale: float) -> str:
    """Frames for the boxes of an answer, in the picture's squares: scale is how many of them a pixel is wide."""
    if not isinstance(answer, list) or not all(isinstance(one, dict) and "box" in one for one in answer):
        return ""
    frames = []
    for one in answer:
        left, top, right, bottom = (float(side) * scale for side in one["box"])
        place = f'x="{left:.3f}" y="{top:.3f}" width="{right - left:.3f}" height="{bottom - top:.3f}"'
        frames.append(
            f'<rect {place} fill="none" stroke="#e69f00" stroke-width="0.06"><title>{escape(str(one["label"]))}</title></rect>'
        )
    return "".join(frames)


def _line(field: dict[str, Any], shares: Any, more: Any = (), bands: Sequence[tuple[Any, Any]] = ()) -> str:
    """A series with its steps tinted; behind it `more`, what is forecast, between bands of lows and highs."""
    values, ahead = np.array(field["values"], np.float64), np.array(more, np.float64)
    every = np.concatenate([values, ahead, *(np.concatenate([low, high]) for low, high in bands)])
    low, spread = float(every.min(initial=0.0)) if not len(every) else float(every.min()), float(np.ptp(every)) or 1.0
    step = 720 / max(1, len(values) + len(ahead))

    def up(v: Any) -> Any:
        return 165 - 150 * (np.asarray(v) - low) / spread

    xs = (np.arange(len(values) + len(ahead)) + 0.5) * step
    out = [
        f'<rect x="{u["start"] * step:.1f}" y="0" width="{(u["end"] - u["start"]) * step:.1f}" height="180" '
        f'fill="rgb({FOR if s > 0 else AGAINST})" fill-opacity="{0.7 * abs(s):.2f}"><title>{escape(u["label"])}: '
        f"{u['weight']:+.3g}</title></rect>"
        for u, s in zip(field["units"], shares, strict=True)
    ]
    for lows, highs in bands:
        edge = [*zip(xs[len(values) :], up(lows), strict=True)]
        edge += reversed([*zip(xs[len(values) :], up(highs), strict=True)])
        out.append(
            f'<polygon fill="#268" fill-opacity="0.2" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in edge)}"/>'
        )
    out += [polyline(xs[: len(values)], up(values), "#888"), polyline(xs[len(values) :], up(ahead), "#28a")]
    return f'<svg viewBox="0 0 720 180" width="720" role="img" aria-label="series">{"".join(out)}</svg>'


def _matrix(attention: dict[str, Any]) -> str:
    head = "".join(f'<th class="up">{escape(str(c))}</th>' for c in attention["columns"])
    rows = [
        f"<tr><th>{escape(str(name))}</th>"
        + "".join(f'<td style="{tint(w)}" title="{w:.0%}">{f"{100 * w:.0f}" if w >= 0.1 else ""}</td>' for w in weights)
        + "</tr>"
        for name, weights in zip(attention["rows"], attention["weights"], strict=True)
    ]
    return f'<table class="matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table>' + note("In percent, a row is 100.")


def _squares(data: dict[str, Any]) -> str:
    """The picture once for each part of the answer, its squares tinted by how much that part hangs on them.

    "" where the example is more than a picture cut into squares: a matrix shows that.
    """
    [(name, field), *more] = [(n, f) for n, f in data["fields"].items() if f["units"]] or [("", {"kind": ""})]
    found, columns, rows = data["attention"], field.get("columns", 0), field.get("rows", 0)
    if more or field["kind"] != "image" or columns * rows != len(found["columns"]):
        return ""
    uri = str(data["example"][name])
    small = uri.startswith("data:image/") and len(uri) <= REPEATED
    under = f'<image href="{escape(uri, quote=True)}" width="{columns}" height="{rows}" preserveAspectRatio="none"/>'
    most = max((w for weights in found["weights"] for w in weights), default=0.0) or 1.0
    out = []
    for part, weights in zip(found["rows"], found["weights"], strict=True):
        cells = "".join(
            f'<rect x="{u["column"]}" y="{u["row"]}" width="1" height="1" fill="rgb({FOR})" '
            f'fill-opacity="{0.75 * w / most:.2f}"><title>{w:.0%}</title></rect>'
            for u, w in zip(field["units"], weights, strict=True)
            if w > 0
        )
        shown = escape(str(part), quote=True)
        svg = f'<svg viewBox="0 0 {columns} {rows}" width="110" role="img" aria-label="{shown}" style="image-rendering:pixelated">'
        out.append(
            f'<figure style="display:inline-block;margin:.3rem">{svg}{under * small}{cells}</svg><figcaption>{shown}</figcaption></figure>'
        )
    return "".join(out)


def _by_kind(answer: dict[str, Any], fields: dict[str, Any]) -> str:
    """Extra drawings for some kinds of answers: a forecast with its intervals, the plane around a point, shares of sentences."""
    if answer["kind"] == "forecast":
        past = next((f for f in fields.values() if f["kind"] == "series"), None)
        if past is None:
            return ""
        ends = [np.array(v, np.float64).T for k, v in answer.items() if k.endswith("%")]
        drawn = _line(past, np.zeros(len(past["units"])), answer["median"], [(low, high) for low, high in ends])
        return f"<h2>The forecast</h2>{drawn}"
    if answer["kind"] == "plane":
        rows = [
            "<tr>" + "".join(f"<td>{image(m, 44) or escape(str(m)[:60])}</td>" for m in row) + "</tr>"
            for row in answer["made"]
        ]
        at = ", ".join(f"{x:g}" for x in answer["point"])
        span = f"{answer['places'][0]:g} to {answer['places'][-1]:g}"
        return (
            f"<h2>The plane around it</h2>{note(f'The point is {at}; the plane goes from {span} in both directions.')}"
            + (f"<table>{''.join(rows)}</table>")
        )
    if answer["kind"] == "sentences":
        shares = [(part["share"], f"{part['number']}. {part['text']}") for part in answer["sentences"]]
        return f"<h2>{escape(answer['title'])}</h2>{bars(shares)}" + note(
            "A weight is a sentence's share; all add up to 1."
        )
    if answer["kind"] == "reasons":
        items = [
            f"<li>{escape(reason['rule'])}<ul>"
            + "".join(f"<li>{escape(' | '.join(fact))}</li>" for fact in reason["facts"])
            + "</ul></li>"
            for reason in answer["reasons"]
        ]
        return f"<h2>{escape(answer['title'])}</h2><ol>{''.join(items)}</ol>{note(answer['sentence'])}"
    return ""
