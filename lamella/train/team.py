"""Several processes that train one net together, on torch's own distributed engine: gloo on processors, nccl on accelerators.

Each has the whole net and computes some rows of every batch; gradients are added up before an update, which all make alike
(data parallel). The first process, of rank 0, alone looks, saves, shows progress and decides; the others follow it.

What one tells the others goes through torch's store as JSON, or as tensors: nothing is pickled.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import torch
import torch.distributed as dist
from torch import Tensor

from lamella.errors import TrainingError, UsageError
from lamella.version import __version__

COMING = 300.0  # seconds in which every process must have come
READING = timedelta(
    minutes=60
)  # in which it must have read the data, and the most that one waits for another afterwards
HEARD = timedelta(seconds=1)  # in which Ctrl-C is heard while others are waited for
LEAVING = 10.0  # seconds in which those that are left say so, once one is gone
RECENT = 50  # steps whose time is kept
POLL = 0.02  # seconds between two looks into the store


class Lost(TrainingError):
    """Another process is gone."""


class Team:
    """This process, as one of `size` that train together; `Team()` is a process alone, for which all of this is nothing.

    store: of torch, over which they find each other. local: how many of them are on this machine. ended: raises Lost where a process that this one
    started ends within so many seconds.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        store: Any = None,
        local: int = 1,
        ended: Callable[[float], None] = lambda seconds: None,
    ) -> None:
        self.rank, self.size, self.local = rank, size, local
        self.times: deque[float] = deque(maxlen=RECENT)  # seconds of the last steps, updates aside
        self._store, self._ended, self._said, self._met = store, ended, 0, False
        if size > 1:
            self._put("hello", _versions())

    def __repr__(self) -> str:
        return f"Team(rank={self.rank}, size={self.size})"

    @property
    def leads(self) -> bool:
        """Whether this process is the one that looks, saves, speaks and decides."""
        return self.rank == 0

    # ---- words ---------------------------------------------------------------------------------------------------

    def meet(self, facts: dict[str, Any], device: str, examples: int, coming: float = COMING) -> None:
        """Wait for all others, see that they have the same versions and data, and open the ways between them.

        facts: what must be the same in all. Raises TrainingError where a process does not come within `coming` seconds,
        UsageError where it has come with other versions, settings or data, and where there are fewer examples than processes.
        """
        if self.size == 1:
            return
        if self.size > examples:
            raise UsageError(
                f"--processes {self.size}: expected at most one an example, of which there are {examples}."
            )
        until = time.monotonic() + coming
        hellos = [self._get("hello", rank, until) for rank in range(self.size)]
        self._same("versions", hellos, "Install the same on every machine.")
        self.compare("facts", facts, "Give every process the same command and the same data.")
        if dist.is_initialized():
            raise UsageError("torch.distributed is in use in this process already. Expected: lamella alone uses it.")
        try:
            backend = "nccl" if device.startswith("cuda") else "gloo"
            dist.init_process_group(
                backend, store=prefixed(self._store, backend), rank=self.rank, world_size=self.size, timeout=READING
            )  # fmt: skip
        except RuntimeError as error:
            raise Lost(f"process {self.rank} of {self.size} cannot reach the others: {_first_line(error)}") from error
        self._met = True

    def compare(self, name: str, content: dict[str, Any], advice: str) -> None:
        """UsageError where another process says something else under this name than the first one; all raise it."""
        if self.size > 1:
            name = self._next(name)
            self._put(name, content)
            until = time.monotonic() + READING.total_seconds()
            self._same(name, [self._get(name, rank, until) for rank in range(self.size)], advice)

    def from_first(self, name: str, make: Callable[[], Any], kind: Any) -> Any:
        """What the first process makes, in all processes; it must be JSON-able, of this type."""
        if self.size == 1:
            return make()
        name = self._next(name)
        if self.leads:
            content = make()
            self._put(name, msgspec.to_builtins(content))
            return content
        return msgspec.convert(self._get(name, 0, time.monotonic() + READING.total_seconds()), kind)

    def _next(self, name: str) -> str:
        """A name that was not used before: all say the same things in the same order."""
        self._said += 1
        return f"{self._said} {name}"

    def _put(self, name: str, content: Any) -> None:
        try:
            self._store.set(f"{name}/{self.rank}", msgspec.json.encode(content))
        except RuntimeError as error:
            raise Lost(f"process {self.rank} of {self.size} has lost the others: {_first_line(error)}") from error

    def _get(self, name: str, rank: int, until: float) -> Any:
        """What a process has said under a name; TrainingError where it says nothing in time."""
        key = f"{name}/{rank}"
        try:
            while not self._store.check([key]):
                self._ended(0.0)
                if time.monotonic() > until:
                    raise TrainingError(
                        f"process {rank} of {self.size} did not come in time. Expected: the same command on every machine, with "
                        "ranks from 0 up, and machines that can reach each other."
                    )
                time.sleep(POLL)
            return msgspec.json.decode(self._store.get(key))
        except RuntimeError as error:
            raise Lost(f"process {self.rank} of {self.size} has lost the others: {_first_line(error)}") from error

    def _same(self, name: str, contents: Sequence[dict[str, Any]], advice: str) -> None:
        for rank, content in enumerate(contents):
            for key, value in contents[0].items():
                if key != "host" and content.get(key) != value:
                    where = f" on {content['host']}" if "host" in content else ""
                    raise UsageError(
                        f"process {rank} of {self.size}{where} has another {key} than process 0: {_short(content.get(key))}, "
                        f"not {_short(value)}. {advice}"
                    )

    # ---- tensors -------------------------------------------------------------------------------------------------

    def add_up(self, weights: Sequence[Tensor], number: float) -> float:
        """Add up all processes' gradients of these weights, in place, and a number, which is returned."""
        if self.size == 1:
            return number
        if not weights:  # those of a divided net are added up already
            return float(self.total(self._here(number)))
        grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in weights]
        # One message for all: many small ones would wait for each other.
        flat = torch.cat([g.float().flatten() for g in grads] + [grads[0].new_tensor([number], dtype=torch.float32)])
        self._do(dist.all_reduce, flat)
        parts = torch.split(flat[:-1], [g.numel() for g in grads])
        for weight, grad, part in zip(weights, grads, parts, strict=True):
            weight.grad = grad.copy_(part.view_as(grad))
        return float(flat[-1])

    def total(self, number: Tensor) -> Tensor:
        """The sum over all processes, without a gradient."""
        number = number.detach().float().clone()
        if self.size > 1:
            self._do(dist.all_reduce, number)
        return number

    def gather(self, x: Tensor, counts: Sequence[int]) -> Tensor:
        """The rows of all processes, one after the other, without gradients: (n, ...) -> (sum of counts, ...).

        counts: how many rows each has; where that is none it brings one that is left out.
        """
        most = max(counts)
        padded = torch.cat([x, x[-1:].expand(most - len(x), *x.shape[1:])]) if len(x) < most else x
        raw = padded.detach().contiguous().view(-1).view(torch.uint8)  # so that every type can be sent
        out = [torch.empty_like(raw) for _ in counts]
        self._do(dist.all_gather, out, raw)
        rows = [r.view(x.dtype).view(most, *x.shape[1:])[:n] for r, n in zip(out, counts, strict=True)]
        return torch.cat(rows)

    def spread(self, tensors: Sequence[Tensor]) -> None:
        """Put the first process's values into these tensors of all others."""
        for tensor in tensors if self.size > 1 else ():
            if tensor.numel():
                raw = tensor.detach().contiguous().clone()
                self._do(dist.broadcast, raw, 0)
                with torch.no_grad():
                    tensor.copy_(raw)

    def agree(self, stop: bool, over: bool, seconds: float, progress: float) -> tuple[bool, bool, float, float]:
        """After a step: whether anyone wants to stop, and what the first process says of the rest."""
        if self.size == 1:
            return stop, over, seconds, progress
        first = 1.0 if self.leads else 0.0
        said = self._here([float(stop), over * first, seconds * first, progress * first])
        self._do(dist.all_reduce, said)
        stops, overs, seconds, progress = said.tolist()
        return stops > 0, overs > 0, seconds, progress

    def leave(self) -> None:
        """Close the ways to the others; the first process needs them no more."""
        if self.size == 1 or not self._met:
            return
        self._met = False
        with suppress(TrainingError):
            if self.leads:
                self._put("done", True)
        dist.destroy_process_group()

    def wait_for_the_end(self) -> None:
        """Stay until the first process needs the others no more."""
        with suppress(TrainingError):
            self._get("done", 0, time.monotonic() + COMING)

    def _here(self, numbers: Any) -> Tensor:
        """Numbers where the processes talk."""
        return torch.tensor(numbers, dtype=torch.float64, device="cuda" if dist.get_backend() == "nccl" else "cpu")

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Where torch talks to the others by itself: raises Lost where one is gone."""
        try:
            yield
        except RuntimeError as error:
            if self.size == 1 or not (isinstance(error, dist.DistError) or "gloo" in str(error)):
                raise
            self._ended(LEAVING)
            raise Lost(self._who_is_gone(_first_line(error))) from error

    def _do(self, talk: Callable[..., Any], *tensors: Any) -> None:
        """Talk to the others. It waits in short pieces, so that Ctrl-C is heard, and an end of one that was started is seen."""
        try:
            work = talk(*tensors, async_op=True)
            if dist.get_backend() == "nccl":  # which waits on the device
                work.wait()
                return
            while not work.is_completed():
                with suppress(RuntimeError):
                    work.wait(HEARD)
                if not work.is_completed():
                    self._ended(0.0)
            work.wait()  # raises what went wrong
        except RuntimeError as error:
            self._ended(LEAVING)
            raise Lost(self._who_is_gone(_first_line(error))) from error

    def _who_is_gone(self, why: str) -> str:
        """Those that are left say so; who does not is gone."""
        try:
            self._store.set(f"left/{self.rank}", b"1")
            until, others = time.monotonic() + LEAVING, set(range(self.size)) - {self.rank}
            while len(others) > 1 and time.monotonic() < until:
                others = {rank for rank in others if not self._store.check([f"left/{rank}"])}
                time.sleep(POLL)
        except RuntimeError:  # the store was the first one's
            others = {0}
        named = " and ".join(map(str, sorted(others))) or "another"
        return f"process {named} of {self.size} is gone ({why})"


ALONE = Team()


def file_store(path: Path, size: int) -> Any:
    """A store of torch in a file, for so many processes of one machine: no port is opened."""
    return dist.FileStore(str(path), size)  # type: ignore[attr-defined]


def prefixed(store: Any, name: str) -> Any:
    """A part of a store of its own."""
    return dist.PrefixStore(name, store)  # type: ignore[attr-defined]


def _versions() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "lamella": __version__,
        "torch": torch.__version__.partition("+")[0],
        "Python": ".".join(map(str, sys.version_info[:2])),
    }


def _first_line(error: BaseException) -> str:
    line = str(error).strip().partition("\n")[0]
    # Of torch's own words the first sentence, without the file of its source.
    return re.sub(r"^\[[^\]]*\]\s*", "", line).partition(". ")[0][:200]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def number_of(name: str, least: int, most: int) -> int:
    """A whole number of the environment, as torchrun sets it. UsageError where it is none."""
    raw = os.environ.get(name, "")
    if not raw.isascii() or not raw.isdigit() or not least <= int(raw) <= most:
        raise UsageError(f"{name}: expected a whole number from {least} to {most}, received {raw[:40]!r}.")
    return int(raw)
