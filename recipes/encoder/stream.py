"""The file that passages travel in: pieces as uint16, packed by LZMA, one passage after the other. Needs numpy alone."""

import lzma
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 26, "lc": 0, "lp": 1, "pb": 1}]


def write(path: Path, stream: NDArray[np.uint16]) -> int:
    """Write a stream of pieces; returns how many bytes it takes."""
    return path.write_bytes(lzma.compress(stream.tobytes(), lzma.FORMAT_XZ, filters=FILTERS))


def read(path: Path) -> NDArray[np.uint16]:
    """The stream of pieces in a file."""
    return np.frombuffer(lzma.decompress(path.read_bytes()), np.uint16)
