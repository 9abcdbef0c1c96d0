"""Whether a column holds times, by its cells alone: dates, and numbers that can hardly be anything else."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from lamella.data.readers.stamp_numbers import FORMATS, number_kind
from lamella.data.readers.stamps import NONE, read_stamps


def looks_like_time(cells: Sequence[str]) -> bool:
    """Whether nearly all of these are dates, and no plain numbers or hours of a day.

    >>> looks_like_time(["06.01.2020", "07.01.2020"]), looks_like_time(["1.5", "1.719"]), looks_like_time(["2020", "2021"])
    (True, False, False)
    """
    known = [cell.strip() for cell in cells if cell.strip()]
    if not known or sum(re.fullmatch(r"[-+]?\d*([.,]\d*)?", cell) is not None for cell in known) > 0.5 * len(known):
        return False
    read = read_stamps(known)
    return read.style.kind not in ("clock", "elapsed") and bool((read.seconds != NONE).mean() > 0.9)


def counts_time(cells: Sequence[str], name: str = "", fewest: int = 10) -> bool:
    """Whether these numbers, all different, can hardly be anything but times: dates in digits, seconds since 1970, or a count
    by equal steps, of which there are `fewest` at least, since a few do so by chance.

    >>> counts_time([str(20200101 + n) for n in range(9)]), counts_time([str(n) for n in range(12)])
    (True, True)
    >>> counts_time(["5", "7", "9"]), counts_time([str(n * n) for n in range(12)])
    (False, False)
    """
    known = [cell.strip() for cell in cells if cell.strip()]
    if len(set(known)) < max(3, len(known)) or not all(re.fullmatch(r"\d{1,19}(\.\d*)?", cell) for cell in known):
        return False
    kind = number_kind(known, name)
    times = read_stamps(known, name).seconds
    gaps = np.diff(times)
    if kind in ("year", "count", "excel"):  # any numbers may be in their range
        return len(known) >= fewest and gaps[0] > 0 and bool((np.abs(gaps - gaps[0]) <= gaps[0] / 1000).all())
    equal = kind in FORMATS or float(np.unique(gaps, return_counts=True)[1].max()) >= 0.5 * len(gaps)
    return equal and bool((gaps > 0).all() or (gaps < 0).all())
