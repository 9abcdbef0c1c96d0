"""Windows as the net sees them in training, at every shift, for the regression that its linear part begins with."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.tasks.time_series_forecasting import windows

MOST = 4000  # windows, which tell the weights of a few hundred steps well
LONGEST = 1600  # steps of past: the regression takes their cube
SHIFTS = 12  # of each example
FEWEST = 40  # windows, fewer than which say too little
LEAST_UNIT = 0.05  # as in the net
KEPT = 0.2  # of the examples, the latest, by which the penalty is chosen
Floats = NDArray[np.float32]
Pairs = tuple[Floats, Floats, Floats, NDArray[np.bool_]]


def pairs_of(frame: windows.Frame, examples: Sequence[Mapping[str, Any]]) -> Pairs | None:
    """Past (N, C), what is known of the horizon (N, H, K), wanted (N, H), and which windows are kept aside (N).

    Each on the scale of its own window, as the net has them. None where they are too few, or the past is too long.
    """
    context, horizon = frame.context, frame.horizon
    if context > LONGEST or len(examples) < 2:
        return None
    order = sorted(range(len(examples)), key=lambda at: _end(examples[at], at))
    every = max(1, -(-len(order) * SHIFTS // MOST))
    shifts = np.unique(np.linspace(0, horizon, max(1, min(SHIFTS // every + 1, horizon + 1))).round().astype(int))
    chosen = order[:: max(1, len(order) * len(shifts) // MOST)]
    rows: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any], bool]] = []
    for rank, at in enumerate(chosen):
        seen, more = frame.read(examples[at]), frame.earlier(examples[at])
        values = np.concatenate([more["earlier"], seen["past"], more["wanted"]]).astype(np.float64)
        known = np.concatenate([more["earlier_known"], seen["known"]])
        for shift in shifts:
            past, ahead = values[shift : shift + context], values[shift + context : shift + context + horizon]
            real = known[shift : shift + context, 0] > 0
            if real.sum() < max(3, context // 4):
                continue
            centre, unit = windows.rescale(past[real], frame.seasons[0])
            unit = max(unit, LEAST_UNIT)
            own = known[shift + context : shift + context + horizon]
            rows.append(((past - centre) / unit, own, (ahead - centre) / unit, rank >= (1 - KEPT) * len(chosen)))
    if len(rows) < FEWEST or len({row[3] for row in rows}) < 2:
        return None
    stacked = [np.stack([row[i] for row in rows]).astype(np.float32) for i in range(3)]
    return stacked[0], stacked[1], stacked[2], np.array([row[3] for row in rows])


def _end(example: Mapping[str, Any], at: int) -> float:
    """Where in time an example ends; of those that do not say it, in their order."""
    begin = example.get("tick", example.get("number"))
    return float(at if begin is None else begin + len(example["past"]))
