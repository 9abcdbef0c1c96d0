"""What `evaluate` measures besides the score - noise, groups, input that is not the model's own - for people: text and Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lamella.metrics import groups, stress

Section = tuple[str, list[list[str]], str]
"""What a table shows, its cells with the head first, and what it says in one sentence."""


def sections(result: Mapping[str, Any]) -> list[Section]:
    """The tables of a result of `evaluate`; none where nothing of this was measured."""
    found: list[Section] = []
    if noisy := result.get("stress"):
        title = f"stress: {noisy['metric']} of {noisy['count']} examples by the strength of the noise, 0 for none"
        found.append((title, stress.rows(noisy), stress.summary(noisy)))
    if outside := result.get("outside"):
        found.append(("", [], _told_apart(outside)))
    if parts := result.get("groups"):
        found.append(
            (f"{parts['metric']} by {parts['column']}, the worst first", groups.rows(parts), groups.summary(parts))
        )
    return found


def _told_apart(outside: Mapping[str, Any]) -> str:
    if "auroc" not in outside:
        return f"input that is not its own: not measured, {outside['reason']}"
    figure, count = outside["auroc"], outside["count"]
    return (
        f"input that is not its own: AUROC {figure['value']:.4g} of its confidence, 95% interval {figure['low']:.4g} to "
        f"{figure['high']:.4g} ({count['inside']} examples against {count['outside']} of {outside['source']})"
    )


def lines(result: Mapping[str, Any]) -> list[str]:
    """For a terminal."""
    out: list[str] = []
    for title, table, sentence in sections(result):
        out += [title] if title else []
        widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))] if table else []
        for first, *others in table:
            cells = [cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)]
            out.append("  ".join([first.ljust(widths[0]), *cells]))
        out.append(sentence)
    return out


def markdown(result: Mapping[str, Any]) -> list[str]:
    """For a model's card.

    >>> markdown({"stress": {"metric": "WER", "count": 9, "strengths": [0.0], "area": None, "trained": ["hiss"], "curves": []}})[1]
    'stress: WER of 9 examples by the strength of the noise, 0 for none'
    """
    out: list[str] = []
    for title, table, sentence in sections(result):
        out += ["", title] if title else []
        out += ["", *_table(table)] if table else []
        out += ["", f"{sentence[0].upper()}{sentence[1:]}."]
    return out


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    drawn = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [drawn[0], "|" + " --- |" * len(rows[0]), *drawn[1:]]
