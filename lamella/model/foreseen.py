"""A forecast of a training beside what then happened: `model.json` holds both under `training`, written by `lamella train`."""

from collections.abc import Mapping
from typing import Any

# Name, words, unit and how many of the measure make one of it.
COMPARED = (
    ("seconds", "time", " s", 1.0),
    ("steps", "steps", "", 1.0),
    ("memory", "memory", " MB", 1e6),
    ("model_bytes", "size", " MB", 1e6),
)


def lines(training: Mapping[str, Any]) -> list[str]:
    """Forecast and outcome for people, a line each; none where there was no forecast, or it is none.

    >>> lines({"forecast": {"seconds": {"low": 50, "value": 60, "high": 75}}, "outcome": {"seconds": 66.0}})
    ['forecast: time 60 s (50 to 75); it was 66 s, 1.10 times as much']
    """
    forecast, outcome = training.get("forecast"), training.get("outcome")
    if not isinstance(forecast, Mapping) or not isinstance(outcome, Mapping):
        return []
    shown = []
    for name, words, unit, scale in COMPARED:
        before, after = forecast.get(name), outcome.get(name)
        sides = [before.get(side) for side in ("value", "low", "high")] if isinstance(before, Mapping) else [before]
        if not all(isinstance(number, int | float) for number in (*sides, after)) or not sides[0] > 0:
            continue  # another version's
        value, *interval = (f"{side / scale:,.4g}" for side in sides)
        between = f" ({' to '.join(interval)})" if interval and interval[0] != interval[1] else ""
        ratio = f"{after / sides[0]:.2f} times as much"
        shown.append(f"forecast: {words} {value}{unit}{between}; it was {after / scale:,.4g}{unit}, {ratio}")
    return shown
