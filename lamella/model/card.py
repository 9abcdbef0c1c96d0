"""Generate the model card, `card.md`: what the model is, its training data, its scores and what was not tested."""

import re
from collections.abc import Sequence
from typing import Any

from lamella.model.fingerprint import FILE
from lamella.model.manifest import Manifest

OFF = 0.1  # an interval's coverage may differ by this much from its level without a warning


def write(manifest: Manifest, size: int, extra: Sequence[str] = ()) -> str:
    """A manifest -> the card as Markdown. `extra` are lines about data and licences that the trainer adds."""
    training = manifest.training
    lines = [
        f"# {manifest.task}",
        "",
        f"{manifest.parameters / 1e6:.1f} million parameters ({manifest.size}), {manifest.precision}, {size / 1e6:.1f} MB, "
        f"trained with lamella {manifest.lamella}.",
        "",
        "## Learned from",
        "",
        *[f"- {line}" for line in training.get("data", ())],
    ]
    if training.get("steps"):
        lines.append(
            f"- {training['steps']:,} steps in {training.get('seconds', 0) / 60:.1f} minutes at {training.get('precision', 'float32')}"
            f"{_place(training)}, seed {training.get('seed', 0)}"
        )
    if manifest.examples:
        lines.append(
            f"- {len(manifest.examples)} held-out examples, without answers, are kept in the model for its page"
        )
    if FILE in manifest.files:
        lines.append(f"- `{FILE}` holds hashes of the examples: `lamella evaluate` says which rows were trained on")
    lines += ["", "## Scores", ""]
    lines += table(manifest.scores)
    for result in manifest.scores.values():
        lines += beside(result)
    lines += ["", *training["findings"]] if training.get("findings") else []
    if manifest.training.get("limits"):
        lines += ["", "## Limits", "", *[f"- {line}" for line in training["limits"]]]
    lines += [*([""] if extra else []), *extra]
    return "\n".join(lines) + "\n"


def _place(training: dict[str, Any]) -> str:
    """Where it was trained, unless that was the processor."""
    return "" if training.get("device", "cpu") == "cpu" else f" on {training['device']}"


def beside(result: dict[str, Any]) -> list[str]:
    """The details of a score set as lines of Markdown: calibration, the worst labels, or each label's AP."""
    lines: list[str] = []
    if rows := result.get("boxes"):
        shown = ", ".join(f"{row['label']} {row['AP50']:.3f} of {row['count']:,}" for row in rows[:20])
        lines += ["", f"AP50 of each label, the worst AP first: {shown}{', ...' if len(rows) > 20 else ''}."]
    if rows := result.get("masks"):
        shown = ", ".join(f"{row['label']} {row['IoU']:.3f}" for row in rows[:20])
        lines += ["", f"IoU of each label, the worst first: {shown}{', ...' if len(rows) > 20 else ''}."]
    if sure := result.get("calibration"):
        lines += [
            "",
            f"Calibration: {sure['sure']:.0%} sure on average and right {sure['right']:.0%} of the time; expected calibration "
            f"error {sure['error']:.3f}.",
        ]
    if labels := [row for row in result.get("labels", ()) if row["f1"] < 1]:
        shown = ", ".join(
            f"{row['label']} (F1 {row['f1']:.2f} of {row['count']}"
            + (f", most often taken for {row['taken for']})" if row["taken for"] else ")")
            for row in labels[:5]
        )
        lines += ["", f"Labels answered worst: {shown}."]
    return lines


def with_result(text: str, name: str, result: dict[str, Any], more: Sequence[str] = ()) -> str:
    """A card with a section on what was measured later, such as under noise or by group; one of the same name is replaced.

    more: lines of Markdown on noise, groups and the like.

    >>> once = with_result("# a model\\n", "new.csv", {"count": 9, "scores": {"mase": {"value": 1, "low": 1, "high": 2}}})
    >>> once == with_result(once, "new.csv", {"count": 9, "scores": {"mase": {"value": 1, "low": 1, "high": 2}}})
    True
    """
    head = f"## Measured on {name}\n"
    parts = [part for part in re.split(r"(?m)^(?=## )", text) if not part.startswith(head)]
    lines = [head, *table({name: result}), *beside(result), *more]
    return "".join(parts).rstrip("\n") + "\n\n" + "\n".join(lines) + "\n"


def remarks(result: dict[str, Any], metric: str, less_is_better: bool) -> list[str]:
    """Warnings about a score set: the net is no better than no net, or its intervals are miscalibrated.

    >>> remarks({"count": 9, "scores": {"coverage_80": {"value": 0.6}, "mase": {"value": 1.2}}, "trivial": {"mase": 1.0}}, "mase", True)
    ['warning: mase 1.2 is no better than 1, what an answer without a net scores. Train longer, or give more data', 'warning: intervals that say 80% hold 60% of the values they were measured on']
    """
    lines = []
    value, without = result["scores"].get(metric, {}).get("value"), result.get("trivial", {}).get(metric)
    if value is not None and without is not None and (value >= without if less_is_better else value <= without):
        lines.append(
            f"warning: {metric} {value:.4g} is no better than {without:.4g}, what an answer without a net scores. "
            "Train longer, or give more data"
        )
    for name, score in result["scores"].items():
        level = name.removeprefix("coverage_")
        held = score.get("value")
        if level != name and level.isdigit() and held is not None and abs(held - int(level) / 100) > OFF:
            lines.append(f"warning: intervals that say {level}% hold {held:.0%} of the values they were measured on")
    return lines


def table(scores: dict[str, Any]) -> list[str]:
    """Scores with their intervals as lines of a Markdown table.

    scores: by name, {"count", "scores", "notes"}, and "trivial" if the score of a trivial baseline is known.
    """
    if not scores:
        return ["Not measured."]
    # The trivial baseline beside the net's score shows what training has gained.
    trivial = any(result.get("trivial") for result in scores.values())
    lines = [
        "| held out | examples | measure | value | 95% interval |" + (" trivial answer |" if trivial else ""),
        "| --- | --- | --- | --- | --- |" + (" --- |" if trivial else ""),
    ]
    for name, result in scores.items():
        for measure, s in result["scores"].items():
            between = f"{_number(s['low'])} to {_number(s['high'])}" if result["count"] > 1 else "none, of one example"
            line = f"| {name} | {result['count']} | {measure} | {_number(s['value'])} | {between} |"
            without = result.get("trivial", {}).get(measure)
            lines.append(line + ("" if not trivial else " |" if without is None else f" {_number(without)} |"))
    signatures = {note for result in scores.values() for note in result.get("notes", {}).values()}
    return [*lines, *[f"\nSignature: `{note}`" for note in sorted(signatures)]]


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"  # JSON has no NaN
