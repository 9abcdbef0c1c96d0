"""A part of a batch: what a net needs to know where several processes share the rows of each batch.

Nearly all of a net works row by row and needs to know nothing. Two things do:

- **Random draws**, such as dropout. While a part is entered, a draw whose first axis is the part's rows is made for the
  whole batch and the part's rows of it are taken: N processes draw what one would draw, from the same seed.
  Where a net reads two batches at once, one after the other: `with stacked(2)`.
- **What looks at all rows**, such as a table that follows the mean of a batch: `with whole(x) as x`.

    with Part(rows, count, gather).entered():
        outputs = net(...)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

_ENTERED: ContextVar[Part | None] = ContextVar("part", default=None)
# Draws by the shape that is asked for: where the shape stands among the arguments, counted from the end for `randint`.
SHAPED = {torch.rand: 0, torch.randn: 0, torch.randint: -1}
LIKE = {torch.rand_like, torch.randn_like}
IN_PLACE = {torch.Tensor.uniform_, torch.Tensor.normal_, torch.Tensor.bernoulli_, torch.Tensor.exponential_}
DROPOUT = inspect.signature(F.dropout)


@dataclass
class Part:
    """The rows of a batch that this process computes.

    rows: (b,) which of the batch's rows; count: how many the batch has; gather: (b, ...) of each process -> (count, ...).

    >>> _ = torch.manual_seed(0)
    >>> every = torch.rand(4, 2)
    >>> _ = torch.manual_seed(0)
    >>> with Part(torch.tensor([2, 3]), 4, lambda x: x).entered():
    ...     own = torch.rand(2, 2)
    >>> bool((own == every[2:]).all())
    True
    """

    rows: Tensor
    count: int
    gather: Callable[[Tensor], Tensor]

    @contextmanager
    def entered(self) -> Iterator[None]:
        """A context in which nets draw, and look at the whole batch, as this part of it."""
        token = _ENTERED.set(self)
        try:
            with _Draws():
                yield
        finally:
            _ENTERED.reset(token)

    def whole_shape(self, shape: Sequence[int]) -> tuple[int, ...] | None:
        """The shape of the whole batch's array, of which one of this shape is the part; None: it has no axis of rows."""
        if not shape or shape[0] == 0 or shape[0] % len(self.rows):
            return None
        return (shape[0] // len(self.rows) * self.count, *shape[1:])

    def take(self, x: Tensor) -> Tensor:
        """The part's rows of an array of the whole batch; a row may be several in a line, as where time is folded in."""
        rows = self.rows.to(x.device)
        if len(x) == self.count:
            return x.index_select(0, rows)
        return x.reshape(self.count, -1, *x.shape[1:]).index_select(0, rows).flatten(0, 1)


@contextmanager
def whole(x: Tensor) -> Iterator[Tensor]:
    """All rows of a batch, without gradients, of which `x` (b, ...) is the part; `x` itself where nothing is shared.

    What is drawn inside is the same in all processes, so that what they make of it is too.
    """
    part = _ENTERED.get()
    if part is None:
        yield x
        return
    token = _ENTERED.set(None)
    try:
        yield part.gather(x.detach())
    finally:
        _ENTERED.reset(token)


@contextmanager
def stacked(views: int) -> Iterator[None]:
    """A context in which the first axis of arrays is so many batches one after the other, as where two texts are read at once."""
    part = _ENTERED.get()
    if part is None:
        yield
        return
    rows = torch.cat([part.rows + view * part.count for view in range(views)])
    every = Part(rows, views * part.count, lambda x: torch.cat([part.gather(view) for view in x.chunk(views)]))
    token = _ENTERED.set(every)
    try:
        yield
    finally:
        _ENTERED.reset(token)


class _Draws(TorchFunctionMode):
    """Draws of a part are rows of a draw for the whole batch."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        part, kwargs = _ENTERED.get(), kwargs or {}
        drawn = None
        if part is not None and len(part.rows) < part.count:
            if func in SHAPED:
                drawn = _shaped(part, func, args, kwargs)
            elif func in LIKE or func in IN_PLACE:
                drawn = _alike(part, func, args, kwargs)
            elif func is F.dropout:
                drawn = _dropout(part, *args, **kwargs)
        return func(*args, **kwargs) if drawn is None else drawn


def _shaped(part: Part, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    if "size" in kwargs:
        shape = part.whole_shape(kwargs["size"])
        return None if shape is None else part.take(func(*args, **{**kwargs, "size": shape}))
    if not args:
        return None
    at = SHAPED[func]
    if isinstance(args[at], int):  # torch.rand(2, 3)
        shape = part.whole_shape(args)
        return None if shape is None else part.take(func(*shape, **kwargs))
    shape = part.whole_shape(tuple(args[at]))
    before = args[:-1] if at else ()
    return None if shape is None else part.take(func(*before, shape, **kwargs))


def _alike(part: Part, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    x, *rest = args
    every = _empty(part, x)
    if every is None or any(isinstance(value, Tensor) for value in (*rest, *kwargs.values())):
        return None
    own = part.take(func(every, *rest, **kwargs))
    return x.copy_(own) if func in IN_PLACE else own


def _dropout(part: Part, *args: Any, **kwargs: Any) -> Tensor | None:
    given = DROPOUT.bind(*args, **kwargs)
    given.apply_defaults()
    x, p = given.arguments["input"], given.arguments["p"]
    every = _empty(part, x)
    if every is None or not given.arguments["training"] or not 0 < p < 1:
        return None
    # Dropout multiplies by 0 or by 1 / (1 - p): of ones it is what to multiply by.
    return x * part.take(F.dropout(every.fill_(1), p))


def _empty(part: Part, x: Tensor) -> Tensor | None:
    """An array of the whole batch, laid out in memory as its part is, since numbers are drawn in that order."""
    shape = part.whole_shape(x.shape)
    if shape is None:
        return None
    strides = x.stride()
    # Where time comes first in memory, a part of one row has the same stride in both axes: rows come after time then.
    order = sorted(range(x.ndim), key=lambda axis: (-strides[axis], axis == 0))
    every = torch.empty([shape[axis] for axis in order], dtype=x.dtype, device=x.device)
    return every.permute([order.index(axis) for axis in range(x.ndim)])
