"""How many points of pictures may be decoded: each may be just small enough, and all of them together too much.

budget = Budget(points=1000)
with at_most(budget):
    read_image(...)         each picture that is read here is paid for before it is decoded
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lamella.errors import DataError


class Budget:
    """Points that may still be decoded.

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
        """Whether more was asked for than there was."""
        return self.left < 0


_CURRENT: ContextVar[Budget | None] = ContextVar("budget", default=None)


@contextmanager
def at_most(budget: Budget) -> Iterator[None]:
    """Whatever this thread or task reads in the block is paid for from the budget; without one there is no limit."""
    before = _CURRENT.set(budget)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def spend(points: int, name: str) -> None:
    """Pay for a picture before it is decoded. Raises DataError where the budget of this thread is too small."""
    budget = _CURRENT.get()
    if budget is None:
        return
    budget.left -= points
    if budget.spent:
        raise DataError(
            f"{name}: expected at most {budget.most / 1e6:g} million points in all pictures together, received more. "
            "Send fewer at once, or smaller ones."
        )
