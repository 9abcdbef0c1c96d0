"""A limit on the pixels that may be decoded in all: single pictures may be small enough, but not their sum.

budget = Budget(points=1000)
with at_most(budget):
    read_image(...)         each picture that is read here is paid for before it is decoded
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lamella.errors import DataError


class Budget:
    """The number of pixels that may still be decoded.

    >>> budget = Budget(1000)
    >>> with at_most(budget):
    ...     spend(600, "a.png")
    >>> budget.left, budget.spent
    (400, False)
    """

    def __init__(self, points: int) -> None:
        self.most = self.left = points

    @property
    def spent(self) -> bool:
        """Whether more was requested than the budget had."""
        return self.left < 0


_CURRENT: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def at_most(budget: Budget) -> Iterator[None]:
    """Charge all pictures that this thread or task reads in the block to the budget; without one there is no limit."""
    before = _CURRENT.set(budget)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def spend(points: int, name: str, what: str = "points in all pictures") -> None:
    """Charge a picture, or the samples of a sound, to this thread's budget before decoding it; DataError if too little is left."""
    budget = _CURRENT.get()
    if budget is None:
        return
    budget.left -= points
    if budget.spent:
        raise DataError(
            f"{name}: expected at most {budget.most / 1e6:g} million {what} together, received more. "
            "Send fewer at once, or smaller ones."
        )
