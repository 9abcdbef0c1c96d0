"""Make standard input, output and error usable, however the shell has set them.

A closed stream (`<&-`, `>&-`) is None in Python; here it becomes one that raises an error when it is used. Pipes use
UTF-8, and characters that an old terminal cannot show become escapes.
"""

import errno
import io
import os
import stat
import sys
from contextlib import nullcontext
from typing import Any, NoReturn

from lamella.errors import UsageError

_CONTROLS = {code: "\ufffd" for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\t\n"}


def visible(text: str) -> str:
    """Replace control characters by U+FFFD: a label or a card from elsewhere must not control the terminal.

    >>> visible("a\\x1b[2Jb\\n")
    'a\ufffd[2Jb\\n'
    """
    return text.translate(_CONTROLS)


def shown(text: str) -> str:
    """A text for standard output: `visible` on a terminal, unchanged in a pipe, where it is data."""
    return visible(text) if sys.stdout.isatty() else text


def piped() -> bool:
    """Whether standard input is a pipe or a file: it holds what to work on where a command names nothing."""
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (AttributeError, OSError, ValueError):  # None, closed, or a stream without a file
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode)


class Closed(io.TextIOBase):
    """A stream that was closed before the command began."""

    encoding = "utf-8"

    def __init__(self, name: str) -> None:
        self._name = name

    @property
    def buffer(self) -> Any:
        return self

    def _refuse(self) -> NoReturn:
        if self._name == "standard input":
            raise UsageError(
                "expected lines from standard input, received a closed one. Give it a file with <, or a pipe."
            )
        raise OSError(errno.EBADF, "is closed, and the answer goes there. Open it, or give -o", self._name)

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        self._refuse()

    def read(self, size: int | None = -1) -> str:
        self._refuse()

    def write(self, text: Any) -> int:
        self._refuse()


def open_streams() -> None:
    """Make the three streams usable: none is None, pipes hold any letter. Standard error, if closed, swallows."""
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - open as long as the process
    if sys.stdin is None:
        sys.stdin = Closed("standard input")
    if sys.stdout is None:
        sys.stdout = Closed("standard output")
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        # A pipe in an old code page must not end the work: what it cannot hold is shown as an escape.
        if hasattr(stream, "reconfigure"):
            if not stream.isatty() and stream is not sys.stderr:
                stream.reconfigure(encoding="utf-8", errors="surrogateescape")
            else:
                stream.reconfigure(errors="backslashreplace")


def encoded(name: str) -> Any:
    """A context in which files are read in the named encoding; imports are delayed until one is given."""
    if not name:
        return nullcontext()
    from lamella.model.reading import encoded_as

    return encoded_as(name)
