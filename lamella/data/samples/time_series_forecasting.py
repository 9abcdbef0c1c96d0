"""Made series: the offline sample of the time-series-forecasting task.

Months of imaginary shops: a level, a drift that changes its mind once, a season of the year with a shape of its own,
noise, and one month in ten that is out of line and says nothing of the same month a year later: a mean over the years
believes it, a net can learn not to. The last year of each shop is the test part.
"""

import math
import random
from typing import Any

SERIES, MONTHS, HORIZON, BACK = 40, 108, 12, 60


def waves(split: str) -> list[dict[str, Any]]:
    """Examples of a split, "train" (240) or "test" (40): past and future of a shop; the same at every call.

    >>> len(waves("train")), len(waves("test")), len(waves("test")[0]["future"])
    (240, 40, 12)
    >>> waves("test")[0] == waves("test")[0]
    True
    """
    chance = random.Random(11)
    found = []
    for number in range(SERIES):
        level, slope = 10 ** chance.uniform(1, 4), chance.gauss(0, 0.012)
        turn, later = chance.randrange(40, 90), chance.gauss(0, 0.012)
        shape = [(chance.uniform(0.02, 0.25) / k, chance.uniform(0, 2 * math.pi)) for k in (1, 2, 3)]
        values, trend = [], 1.0
        for month in range(MONTHS):
            trend += slope if month < turn else later
            season = sum(
                height * math.sin(2 * math.pi * k * month / 12 + at) for k, (height, at) in enumerate(shape, 1)
            )
            spoilt = chance.choice((-0.7, 0.9)) if chance.random() < 0.1 else 0.0
            values.append(float(f"{level * (trend + season + spoilt + chance.gauss(0, 0.02)):.5g}"))
        for end in range(MONTHS - 7 * HORIZON, MONTHS, HORIZON):
            if (end == MONTHS - HORIZON) == (split == "test"):
                start = max(0, end - BACK)
                past, future = values[start:end], values[end : end + HORIZON]
                found.append({"past": past, "future": future, "id": f"shop {number}", "number": start, "step": "month"})
    return found
