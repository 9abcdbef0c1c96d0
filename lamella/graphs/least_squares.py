"""Which units of a layer to keep, and new weights for them: least squares, without gradients.

Optimal Brain Surgeon (Hassibi and Stork, 1993) applied to whole units or attention heads; which ones to remove is chosen
as in "ThiNet" (Luo et al., 2017), by the effect on the next layer.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ALIKE = 0.5  # two units with a higher partial correlation are not removed in one round
RIDGE = 1e-4  # share of the mean second moment added to the diagonal, since a unit that never fires has a moment of 0


def fit(moments: Floats, weight: Floats, keep: int, size: int = 1) -> tuple[NDArray[np.int64], Floats]:
    """Which units to keep, and the weight (keep, D) that then comes nearest to `hidden @ weight` in mean square.

    moments (U, U): mean of hidden^T hidden; weight (U, D). Units go in rounds; in each, those whose removal costs least
    after the best correction: |w_u|^2 / [M^-1]_uu, the saliency of Optimal Brain Surgeon. With a `size` a unit is so many
    neighbouring rows, as a head's columns are, kept or gone as one: then moments (U size, U size), weight (U size, D).

    >>> moments = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])  # two units that say the same
    >>> kept, fitted = fit(moments, np.ones((3, 1)), keep=2)
    >>> 2 in kept, fitted.round(2).ravel().tolist()
    (True, [2.0, 1.0])
    """
    count = len(weight)
    damped = moments + np.eye(count) * (RIDGE * max(float(np.trace(moments)) / count, 1e-12))
    target = moments @ weight  # (U, D): hidden^T of the wanted output
    kept = np.arange(count // size)
    while True:
        rows = rows_of(kept, size)
        inverse = np.linalg.inv(damped[np.ix_(rows, rows)])
        fitted = inverse @ target[rows]
        if len(kept) <= keep:
            return kept, fitted
        each = np.arange(len(kept))
        blocks = inverse.reshape(len(kept), size, len(kept), size)[each, :, each]  # (U, size, size)
        parts = fitted.reshape(len(kept), size, -1)
        cost = (parts * np.linalg.solve(blocks, parts)).sum(axis=(1, 2))
        # An eighth at a time, since the cost of one depends on which others are gone; and of two that can replace
        # each other (partial correlation), only one. Of heads, which are few, one at a time.
        most, alike = 1, np.eye(len(kept), dtype=bool)
        if size == 1:
            most, scale = min(len(kept) - keep, max(1, len(kept) // 8)), np.sqrt(inverse.diagonal())
            alike = np.abs(inverse) / scale[:, None] / scale > ALIKE
        going: list[int] = []
        for unit in np.argsort(cost, kind="stable"):
            if len(going) < most and not alike[unit, going].any():
                going.append(int(unit))
        kept = np.delete(kept, going)


def rows_of(units: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """The row indices of these units, each of which has `size` neighbouring rows.

    >>> rows_of(np.array([0, 2]), 2).tolist()
    [0, 1, 4, 5]
    """
    return (units[:, None] * size + np.arange(size)).ravel()
