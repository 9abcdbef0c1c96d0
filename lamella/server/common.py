"""What the processes of one server share: numbers in memory that all of them see, and a folder.

The memory is made before the processes are forked. Each process has a row of its own and alone writes there, so that
nothing is locked; a total is the sum of all rows. A server of one process has one row.
"""

import hashlib
import mmap
import secrets
import time
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.server.addresses import LOCAL
from lamella.server.metrics import Metrics

BUCKETS = 1 << 14  # clients by a hash with a secret key: two that meet in one bucket share their limit


def shared(*shape: int) -> NDArray[np.int64]:
    """Zeros that this process and all that are forked from it see and change."""
    return np.frombuffer(mmap.mmap(-1, max(1, 8 * prod(shape))), np.int64, prod(shape)).reshape(shape)


class Tally:
    """How much of something each client has, in all processes together.

    >>> tally = Tally(shared(2, BUCKETS + 1), b"key")
    >>> tally.add("10.0.0.7", 3)
    >>> tally.of("10.0.0.7"), tally.of("10.0.0.8")
    (3, 0)
    """

    def __init__(self, rows: NDArray[np.int64], key: bytes) -> None:
        """rows: (processes, BUCKETS + 1); the last bucket is that of this machine's own clients."""
        self._rows, self._key, self.row = rows, key, 0

    def add(self, client: str, count: int) -> None:
        self._rows[self.row, self._bucket(client)] += count

    def of(self, client: str) -> int:
        return int(self._rows[:, self._bucket(client)].sum())

    def _bucket(self, client: str) -> int:
        if client == LOCAL:
            return BUCKETS
        digest = hashlib.blake2b(client.encode(errors="replace"), digest_size=4, key=self._key).digest()
        return int.from_bytes(digest, "little") % BUCKETS


class Common:
    """What a process sees of the others, and what it tells them."""

    def __init__(self, rows: int = 1, folder: Path | None = None, metered: Sequence[str] | None = None) -> None:
        """rows: most processes at a time; folder: where they keep files for each other, None for a process alone;
        metered: the names of the models, where requests are counted for /metrics."""
        key = secrets.token_bytes(16)
        counts = [shared(rows, BUCKETS + 1) for _ in range(3)]
        self.connections, self.requests, self.bodies = (Tally(count, key) for count in counts)
        self.folder = folder
        self.metrics = Metrics(shared(rows, Metrics.size(metered)), metered) if metered is not None else None
        self.row = 0
        self.leaving = False  # whether this process takes no new connections any more
        self.lingers = False  # whether it answers requests that are on their way on open connections
        self.reload = False  # whether SIGHUP asked to read the models again
        self._counts = counts
        self._open = shared(rows)  # connections of each process
        self._accepts = shared(rows)  # 1: it accepts connections
        self._beats = shared(rows)  # milliseconds, by `time.monotonic`, when its event loop was last seen to turn

    def join(self, row: int) -> None:
        """Be the process of this row, from now on."""
        self.row = row
        for tally in (self.connections, self.requests, self.bodies):
            tally.row = row
        if self.metrics:
            self.metrics.row = row
        self.beat()

    def clear(self, row: int) -> None:
        """Forget what a process had that has ended. What it counted for /metrics stays: totals never fall."""
        for values in (*self._counts, self._open, self._accepts):
            values[row] = 0

    # ---- of this process -------------------------------------------------------------------------------------------

    @property
    def own_folder(self) -> Path | None:
        """Where this process writes what no other one reads."""
        return self.folder_of(self.row)

    def folder_of(self, row: int) -> Path | None:
        return self.folder / f"worker-{row}" if self.folder else None

    def accepts(self, yes: bool) -> None:
        self._accepts[self.row] = yes

    def has_open(self, connections: int) -> None:
        self._open[self.row] = connections

    def accepted(self) -> None:
        """One more connection, which its protocol does not know of yet."""
        self._open[self.row] += 1

    def beat(self) -> None:
        self._beats[self.row] = time.monotonic_ns() // 1_000_000

    # ---- of all ----------------------------------------------------------------------------------------------------

    @property
    def busier(self) -> bool:
        """Whether another process that accepts connections has fewer than this one."""
        others = self._open[self._accepts == 1]
        return bool(others.size and self._open[self.row] > others.min())

    @property
    def open(self) -> int:
        """Connections of all processes."""
        return int(self._open.sum())

    @property
    def workers(self) -> int:
        """Processes that accept connections."""
        return int(self._accepts.sum())

    def silent(self, row: int) -> float:
        """Seconds since the event loop of a process was last seen to turn."""
        return time.monotonic() - float(self._beats[row]) / 1000


def text_of(common: Common) -> str:
    """The page /metrics: what is counted, and what is open now."""
    assert common.metrics is not None
    now: dict[str, tuple[str, Any]] = {
        "lamella_workers": ("Processes that accept connections.", common.workers),
        "lamella_connections": ("Open connections.", common.open),
    }
    return common.metrics.text(now)
