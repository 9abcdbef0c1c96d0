"""Noise in numbers: series that are inexact, have gaps, spikes or a shift; rows whose cells are inexact or missing.

>>> rng = np.random.default_rng
>>> NOISES["gaps"]([1.0, 5.0, 3.0], 1.0, rng(1)), NOISES["spikes"]([1.0, 2.0], 0.0, rng(0))
([1.0, 5.0, 5.0], [1.0, 2.0])
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Rng = np.random.Generator
INEXACT, GAPS, SPIKES, SHIFT, MISSING = 1.0, 0.5, 0.1, 3.0, 0.6  # at full strength: see each
HIGH = 5.0  # standard deviations of a spike


def inexact(values: list[float], strength: float, rng: Rng) -> list[float]:
    """Normal noise of INEXACT standard deviations of the series' own steps."""
    array = np.asarray(values, float)
    spread = float(np.diff(array).std()) if len(array) > 2 else float(array.std())
    return list((array + strength * INEXACT * spread * rng.standard_normal(len(array))).tolist())


def gaps(values: list[float], strength: float, rng: Rng) -> list[float]:
    """Up to GAPS of the steps are missing, and lie on the line between their neighbours."""
    array, draws = np.asarray(values, float), rng.random(len(values))
    there = np.flatnonzero(draws >= GAPS * strength)
    if not len(there):
        there = np.array([len(values) - 1])
    return list(np.interp(np.arange(len(values)), there, array[there]).tolist())


def spikes(values: list[float], strength: float, rng: Rng) -> list[float]:
    """Up to SPIKES of the steps are off by HIGH standard deviations."""
    array, draws = np.asarray(values, float), rng.random(len(values))
    signs = np.where(rng.random(len(values)) < 0.5, -1, 1)
    return list(np.where(draws < SPIKES * strength, array + signs * HIGH * array.std(), array).tolist())


def shift(values: list[float], strength: float, rng: Rng) -> list[float]:
    """The beginning, up to a place in the middle half, is on another level: SHIFT standard deviations higher."""
    array = np.asarray(values, float)
    place = round(float(rng.uniform(0.25, 0.75)) * len(array))
    array[:place] += strength * SHIFT * np.asarray(values, float).std()
    return list(array.tolist())


NOISES: dict[str, Callable[[list[float], float, Rng], list[float]]] = {
    "inexact": inexact, "gaps": gaps, "spikes": spikes, "shift": shift,
}  # fmt: skip
ROWS = ("inexact", "missing")


def row(value: Any, columns: Sequence[Mapping[str, Any]], noise: str, strength: float, rng: Rng) -> Any:
    """A row of a table, a dict or values with commas between them, with noise.

    In: its columns as learned, which hold the spread of numbers. inexact: numbers off by up to INEXACT of their spread.
    missing: up to MISSING of the cells are empty, never all.
    """
    if not strength:
        return value
    names = [str(column["name"]) for column in columns]
    cells = dict(value) if isinstance(value, Mapping) else dict(zip(names, str(value).split(","), strict=False))
    draws, normal = rng.random(len(columns)), rng.standard_normal(len(columns))
    for column, name, draw, off in zip(columns, names, draws, normal, strict=True):
        if noise == "missing":
            if draw < MISSING * strength and draw > draws.min():
                cells[name] = None
        elif "names" not in column and _is_number(cells.get(name)):
            cells[name] = float(cells[name]) + strength * INEXACT * float(column.get("spread", 0)) * float(off)
    return cells


def _is_number(value: Any) -> bool:
    try:
        return bool(np.isfinite(float(value)))
    except (TypeError, ValueError):
        return False
