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
        given = [before.get(side) for side in ("value", "low", "high")] if isinstance(before, Mapping) else [before]
        numbers = [float(n) for n in (*given, after) if isinstance(n, int | float)]
        if len(numbers) <= len(given) or numbers[0] <= 0:
            continue  # another version's
        value, *interval, came = (f"{number / scale:,.4g}" for number in numbers)
        between = f" ({' to '.join(interval)})" if len(set(interval)) > 1 else ""
        ratio = f"{numbers[-1] / numbers[0]:.2f} times as much"
        shown.append(f"forecast: {words} {value}{unit}{between}; it was {came}{unit}, {ratio}")
    return shown
