"""How the process ends: Ctrl-C prints one line on standard error and exits with code 130, whenever it comes."""

from __future__ import annotations

import atexit
import os
import sys

# Not `signal`: its import takes its time.
from _signal import SIGINT, default_int_handler, getsignal, signal  # type: ignore[import-not-found]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any, NoReturn


class Interrupt:
    """Whether Ctrl-C came: in the middle of an import it becomes an error of the module that was imported."""

    came = False


def stop_at_once(*_: object) -> NoReturn:
    """Exit immediately; for moments when no work needs to be finished."""
    try:
        os.write(2, b"lamella: stopped.\n")
    finally:
        os._exit(130)


def leave(code: object) -> None:
    """Exit with a code without taking the engine, its weights and every module apart, which takes a seventh of a short command.

    What is registered for the end is done, and everything that was written is flushed. Returns where Python has more to do: an
    output that cannot be flushed, a code that is a text, threads that are still at work, torch with its own.
    """
    threading = sys.modules.get("threading")
    busy = threading is not None and any(
        not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()
    )
    if busy or "torch" in sys.modules or not (code is None or isinstance(code, int)):
        return
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit((code or 0) & 255)


def stop_while_loading() -> bool:
    """Make Ctrl-C exit at once; False if the shell asked to ignore it, which is respected."""
    if getsignal(SIGINT) is not default_int_handler:
        return False
    signal(SIGINT, stop_at_once)
    return True


def take_interrupts() -> None:
    """Make Ctrl-C raise KeyboardInterrupt, and exit where Python would only print the exception.

    For a process of lamella's own: these handlers stay.
    """

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        Interrupt.came = True
        raise KeyboardInterrupt

    plain_hook, plain_unraisable = sys.excepthook, sys.unraisablehook

    def uncaught(kind: Any, error: Any, trace: Any) -> None:
        if issubclass(kind, KeyboardInterrupt):
            stop_at_once()
        plain_hook(kind, error, trace)

    def unraisable(about: Any) -> None:
        if about.exc_type and issubclass(about.exc_type, KeyboardInterrupt):  # in a callback, or at the very end
            stop_at_once()
        plain_unraisable(about)

    sys.excepthook, sys.unraisablehook = uncaught, unraisable
    signal(SIGINT, interrupt)
