"""A limit on the memory of all request bodies together.

Refusing new requests at the limit would let a few slow clients shut out everyone else. So the body that has been arriving
for longest is dropped; a body that arrives in one piece always gets room, unless requests being answered use all of it.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lamella.server.addresses import LOCAL, Counts, client_of
from lamella.server.limits import Limits
from lamella.server.replies import Refused


class Body:
    """One body and the number of bytes received."""

    def __init__(self, bodies: "Bodies", client: str) -> None:
        self.size, self.since, self.client = 0, time.monotonic(), client
        self.evicted = False
        self.drop: Callable[[], None] | None = None  # while it is coming in
        self._bodies = bodies

    def coming(self, drop: Callable[[], None]) -> None:
        """Mark the body as arriving; `drop` aborts it."""
        self.drop = drop

    def complete(self) -> None:
        """Mark the body as complete; it is kept until its request is answered."""
        self.drop = None

    def add(self, size: int) -> None:
        """Count newly received bytes; Refused with 503 if there is no room for them."""
        self.size += size
        self._bodies.make_room(self, size)


class Bodies:
    """All request bodies in the memory of this process."""

    def __init__(self, limits: Limits, counts: Counts) -> None:
        """counts: bytes of each client, also in the other processes of the server."""
        self._most, self._counts = int(limits.held * 1e6), counts
        self._total = 0
        self._held: dict[Body, None] = {}

    @contextmanager
    def one(self, address: str) -> Iterator[Body]:
        """A body that is counted during the block."""
        body = Body(self, client_of(address))
        self._held[body] = None
        try:
            yield body
        finally:
            body.drop = None
            if not body.evicted:
                self._count(body, -body.size)
            del self._held[body]

    def make_room(self, body: Body, size: int) -> None:
        """Count bytes of a body; over the limit, drop the slowest other bodies."""
        if body.evicted:
            return  # it is counted no longer
        self._count(body, size)
        if body.client != LOCAL and self._counts.of(body.client) > self._most // 2:
            self._refuse(body)
        coming = sorted((o for o in self._held if o.drop and o is not body), key=lambda other: other.since)
        for other in coming:
            if self._total <= self._most:
                return
            other.evicted = True
            self._count(other, -other.size)
            assert other.drop is not None
            other.drop()
        if self._total > self._most:
            self._refuse(body)

    def _count(self, body: Body, size: int) -> None:
        self._total += size
        self._counts.add(body.client, size)

    def _refuse(self, body: Body) -> None:
        raise Refused(503, "too much is being sent at once. Ask again in a moment.", 1)
