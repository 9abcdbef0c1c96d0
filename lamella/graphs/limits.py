"""Limits on graphs that did not come with lamella: seconds of each call, and memory of all of them together.

onnxruntime stops a run between two operators when its `terminate` flag is set. One thread sets it for all overdue calls:
it wakes twice a second while any call runs and sleeps otherwise, so that a call costs only two operations on a dict.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from lamella.machine import memory

SECONDS = 120.0  # of one call of a graph, and of opening it: a hundred times our slowest
MEMORY = 4 << 30  # bytes for what graphs compute, all together; less where the machine has less than twice as much
PERIOD = 0.5
THREAD = "lamella limits"  # the name of the thread; it is begun anew after a fork

_running: dict[int, tuple[float, Callable[[], None]]] = {}  # by ticket: until when, and what stops it
_busy = threading.Event()
_lock = threading.Lock()
_thread: threading.Thread | None = None
_own = threading.local()  # until when the calls of a thread may run
_arena: bool = False


def begin(ticket: int, stop: Callable[[], None], seconds: float) -> None:
    """Call `stop` after `seconds`, unless `end(ticket)` is called first."""
    _running[ticket] = (time.monotonic() + seconds, stop)
    if not _busy.is_set():
        _wake()


def end(ticket: int) -> None:
    _running.pop(ticket, None)


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Limit calls of graphs by this thread: they end at `deadline` (of `time.monotonic`), or after `SECONDS` if earlier."""
    before = getattr(_own, "deadline", None)
    _own.deadline = deadline
    try:
        yield
    finally:
        _own.deadline = before


def seconds() -> float:
    """How long, in seconds, a call that begins now may run."""
    deadline = getattr(_own, "deadline", None)
    return SECONDS if deadline is None else max(0.0, min(SECONDS, deadline - time.monotonic()))


def _wake() -> None:
    global _thread
    with _lock:
        if _thread is None:
            _thread = threading.Thread(target=_watch, name=THREAD, daemon=True)
            _thread.start()
    _busy.set()


def _watch() -> None:
    while True:
        _busy.wait()
        time.sleep(PERIOD)
        now = time.monotonic()
        for ticket, (until, stop) in list(_running.items()):
            if now > until:
                _running.pop(ticket, None)
                stop()
        if not _running:
            _busy.clear()
            if _running:  # one that began in between may have seen the old flag
                _busy.set()


def _after_fork() -> None:
    global _thread, _lock
    _thread, _lock = None, threading.Lock()
    _running.clear()
    _busy.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)  # threads stay in the parent


def share_memory(ort: Any, options: Any) -> None:
    """Let a session take its memory from the shared, limited arena."""
    global _arena
    with _lock:
        if not _arena:
            most = min(MEMORY, (memory() or 2 * MEMORY) // 2)
            info = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
            ort.create_and_register_allocator(info, ort.OrtArenaCfg({"max_mem": most}))
            _arena = True
    options.add_session_config_entry("session.use_env_allocators", "1")
