"""`card.md`: what a model is, what it learned from, how good it is and what it was not tested on. Generated, not written."""

from collections.abc import Sequence
from typing import Any

from lamella.model import Manifest


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
            f"- {training['steps']:,} steps in {training['seconds'] / 60:.1f} minutes at {training['precision']}, seed {training.get('seed', 0)}"
        )
    lines += ["", "## Scores", ""]
    lines += table(manifest.scores)
    if manifest.training.get("limits"):
        lines += ["", "## Limits", "", *[f"- {line}" for line in training["limits"]]]
    lines += [*([""] if extra else []), *extra]
    return "\n".join(lines) + "\n"


def table(scores: dict[str, Any]) -> list[str]:
    """Scores with their intervals as lines of a Markdown table; a score set is {"count", "scores", "notes"} by name."""
    if not scores:
        return ["Not measured."]
    lines = ["| held out | examples | measure | value | 95% interval |", "| --- | --- | --- | --- | --- |"]
    for name, result in scores.items():
        for measure, s in result["scores"].items():
            lines.append(
                f"| {name} | {result['count']} | {measure} | {s['value']:.4g} | {s['low']:.4g} to {s['high']:.4g} |"
            )
    signatures = {note for result in scores.values() for note in result.get("notes", {}).values()}
    return [*lines, *[f"\nSignature: `{note}`" for note in sorted(signatures)]]
