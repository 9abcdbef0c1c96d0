"""Every error that lamella raises on purpose.

    LamellaError            exit code 1: something failed although the arguments were right
    ├── DataError           exit code 2: a file or a row is not what was expected; `details` lists the rows
    ├── UsageError          exit code 2: an argument is wrong; the message says which are right
    ├── ModelError          exit code 1: a model folder is damaged, incomplete or not a model
    ├── MissingExtra        exit code 1: a package is not installed; the message has the command
    └── TrainingError       exit code 1: training cannot go on; the last good checkpoint is kept

One line each: what was expected, what came, what to do.
"""

from collections.abc import Sequence


def one_line(text: str) -> str:
    """A text that can be printed anywhere, on one line: names of files and values hold whatever people put in them.

    >>> print(one_line("my\\nfile\\x1b[2J \\udce9 é"))
    my\\nfile\\x1b[2J \\udce9 é
    """
    if text.isprintable():
        return text
    odd = [letter for letter in set(text) if not letter.isprintable() and letter not in " \u00a0\u202f\u3000"]
    return text.translate({ord(letter): letter.encode("unicode_escape").decode("ascii") for letter in odd})


class LamellaError(Exception):
    """The root: catch this to catch all of them."""

    exit_code = 1

    def __init__(self, message: str, details: Sequence[str] = ()) -> None:
        super().__init__(one_line(message))
        self.details = [one_line(line) for line in details]


class DataError(LamellaError):
    """The user's file or row is not what was expected."""

    exit_code = 2


class UsageError(LamellaError):
    """An argument is wrong or missing."""

    exit_code = 2


class ModelError(LamellaError):
    """A model folder is damaged, incomplete or not a model."""


class MissingExtra(LamellaError):
    """A part of lamella that was not installed is needed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs packages that are not installed. Install them: pip install 'lamella[{extra}]'")


class TrainingError(LamellaError):
    """Training cannot go on; what was saved last is intact."""
