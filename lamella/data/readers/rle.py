"""Run-length encoded masks: COCO's, plain and compressed, and CVAT's.

COCO counts points down the columns, the first run being of zeros. Its compressed form writes each count in groups of five
bits (LEB128 from the character "0" on), from the fourth count on as the difference to the one two before.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import DataError

MOST = 50_000_000  # points of a mask


def coco_rle(counts: Any, height: int, width: int) -> NDArray[np.bool_]:
    """COCO's counts, a list or a compressed text, -> (H, W). Raises DataError where they do not fill it.

    >>> coco_rle([1, 2, 1], 2, 2).astype(int).tolist(), coco_rle("121", 2, 2).astype(int).tolist()
    ([[0, 1], [1, 0]], [[0, 1], [1, 0]])
    """
    numbers = expand(counts) if isinstance(counts, str) else counts
    return _filled(numbers, height * width).reshape(width, height).T


def cvat_rle(text: str, height: int, width: int) -> NDArray[np.bool_]:
    """CVAT's counts along the rows, of zeros first, -> (H, W).

    >>> cvat_rle("1, 2, 1", 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise DataError(f"expected counts of a mask, whole numbers, received {text[:40]!r}.") from error
    return _filled(numbers, height * width).reshape(height, width)


def _filled(numbers: Sequence[Any], size: int) -> NDArray[np.bool_]:
    fine = isinstance(numbers, list) and all(isinstance(n, int) and 0 <= n <= size for n in numbers)
    if size > MOST or not fine or sum(numbers) != size:
        raise DataError(f"expected counts of a mask that add up to its {size:,} points, received others.")
    values = np.arange(len(numbers)) % 2 == 1
    return np.repeat(values, np.array(numbers, np.int64)) if numbers else np.zeros(0, bool)


def expand(text: str) -> list[int]:
    """The counts of COCO's compressed text. DataError for characters that are none of it.

    >>> expand("121")
    [1, 2, 1]
    """
    numbers: list[int] = []
    value, shift = 0, 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or shift > 30:
            raise DataError(f"expected a compressed mask of COCO, received {text[:40]!r}.")
        value |= (code & 31) << shift
        shift += 5
        if code & 32:
            continue
        if code & 16:  # the sign
            value -= 1 << shift
        # The first count is of zeros and the next two have none of their kind before them.
        numbers.append(value + (numbers[-2] if len(numbers) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise DataError("expected a whole compressed mask of COCO, received one that is cut off.")
    return numbers
