"""Interpret words on the command line: texts, files, options of a task, columns."""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

PATHS = ("./", "../", "/", "~/", ".\\", "..\\")  # what no text begins with
# Suffixes of files that people want answered and that are not read: a message about them, and no answer to their name.
OTHERS = (
    ".pdf",
    ".doc",
    ".rtf",
    ".xls",
    ".ppt",
    ".png",
    ".jpg",
    ".jpeg",
    ".gif",
    ".zip",
    ".gz",
    ".wav",
    ".mp3",
    ".mp4",
    ".tex",
)
_YES_OR_NO = ("true", "false", "1", "0")
Switches = Callable[[], Collection[str]]
PLAIN = "\0"  # marks a word after `--`; no argument of a process can hold it
_MARKED = 2 * PLAIN  # a word that begins like an option and stands where the value of one may


def is_file(path: Path, or_folder: bool = False) -> bool:
    """Whether a word names an existing file; an empty word does not, though its path is the current folder."""
    try:
        return path.is_file() or (or_folder and path != Path() and path.is_dir())
    except (OSError, ValueError):  # a text too long for a name, or with a NUL in it
        return False


def not_a_file(word: str) -> str:
    """A description of a path that is neither a file nor a folder; "" for files, folders and non-paths.

    To open a pipe waits for someone to write, and a device may never end.
    """
    try:
        mode = os.stat(word).st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
        return ""
    kinds = {stat.S_IFIFO: "a pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "something else")


def is_folder(word: str, or_name: bool) -> bool:
    """Whether a word means a folder whose files are to be answered: written as a path, or where a name alone does."""
    return or_name or word.endswith(("/", os.sep)) or word.startswith(PATHS)


def looks_like_file(word: str, suffixes: tuple[str, ...], texts: bool = True) -> bool:
    """Whether a word looks like the name of a file or folder, and not like a text.

    It has no space in it and a suffix that is read, or one of other documents, or it is written as a path. Of a task whose
    values are no texts, a path may be one of them (`texts` is false): the suffix alone tells.

    >>> [looks_like_file(word, (".md",)) for word in ("README.md", "a.pdf", "./notes", "docs/", "and/or", "Node.js", "a / b")]
    [True, True, True, True, False, False, False]
    """
    if not word or any(map(str.isspace, word)):
        return False
    if not texts:
        return word.lower().endswith(suffixes)
    path = word.startswith(PATHS) or (word.endswith("/") and len(word) > 1 and not word.startswith("<"))
    return path or word.lower().endswith((*suffixes, *OTHERS)) or ("/" in word and _is_folder(word.split("/")[0]))


def _is_folder(name: str) -> bool:
    try:
        return bool(name) and os.path.isdir(name)
    except ValueError:
        return False


def options_last(words: Iterable[str], own: Mapping[str, bool], leading: int = 1) -> list[str]:
    """Move a task's options that stand before MODEL behind all other words, since click would take one for it.

    own: the command's own options, and whether each takes a value. leading: how many arguments, such as MODEL, come before
    those of any number. What stands after `--` is marked as PLAIN.

    >>> options_last(["--beams", "1", "-o", "out", "my-model", "--", "--text"], {"-o": True})
    ['-o', 'out', 'my-model', '--', '\\x00--text', '--beams', '1']
    >>> options_last(["--details", "a.txt", "b.txt"], {}, leading=0)
    ['--details', 'a.txt', 'b.txt']
    """
    rest = list(words)
    first: list[str] = []
    last: list[str] = []
    seen = 0
    while rest and rest[0] != "--":
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if is_text(word, own):
            first.append(PLAIN + word)
            seen += 1
            continue
        foreign = (word.startswith("--") or is_short(word)) and " " not in word and name not in own
        goes = last if foreign and seen < leading else first
        seen += not word.startswith("-") or word == "-"
        goes.append(word)
        if (foreign or own.get(name)) and not equals and rest and (own.get(name) or not rest[0].startswith("--")):
            value = rest.pop(0)
            # click would take "- Hello" apart into options of one letter.
            goes.append(_MARKED + value if foreign and is_text(value, own) else value)
    return [*first, *rest[:1], *(PLAIN + word for word in rest[1:]), *last]


def is_text(word: str, own: Collection[str]) -> bool:
    """Whether a word that begins like an option is a text: "- Hello there", "-5 degrees outside", "--force is an option".

    own: the command's options. An option has a letter after its dashes, and no space but in a value: --glossary="my words.tsv".

    >>> [is_text(w, ["-o"]) for w in ("-5", "- yes", "-o", "-oout", "--to=a b", "--force is set", "-", "-Hello there", "—")]
    [True, True, False, False, False, True, False, True, False]
    """
    if not word.startswith("-") or word in ("-", "--"):
        return False
    name, equals, _ = word.partition("=")
    bare = name.lstrip("-")
    dashes = len(name) - len(bare)
    if not bare[:1].isalpha() or dashes > 2 or (dashes == 1 and len(bare) > 1 and name[:2] not in own):
        return True
    return any(map(str.isspace, name)) and not (equals and name.split()[0] in own)


def is_short(word: str) -> bool:
    """Whether a word is an option of one letter, such as -n; -5 is a number."""
    return len(word) == 2 and word[0] == "-" and word[1].isalpha()


def split_options(words: Iterable[str], switches: Switches = frozenset) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Separate arguments from a task's `--field value` pairs, -n value among them; after `--` all are arguments.

    switches: gives the names of those that are yes or no, when it is asked: what follows one is an argument, but for `true`
    and `false`.

    >>> split_options(["my-model", "-n", "16", "--seed=1"])
    (('my-model',), {'n': '16', 'seed': '1'})
    >>> split_options(["--details", "a.txt", "--lines", "false"], lambda: {"details", "lines"})
    (('a.txt',), {'details': 'true', 'lines': 'false'})
    """
    rest, plain, options = list(words), [], {}
    while rest:
        word = rest.pop(0)
        if word.startswith(PLAIN):
            plain.append(word.lstrip(PLAIN))
        elif word.startswith("--") and len(word) > 2 and " " not in word:
            name, equals, value = word[2:].partition("=")
            name = name.replace("-", "_")
            if not equals:
                flag = _has_no_value(rest) or (rest[0].lower() not in _YES_OR_NO and name in switches())
                value = "true" if flag else rest.pop(0).lstrip(PLAIN)
            options[name] = value
        elif is_short(word):
            options[word[1]] = "true" if _has_no_value(rest) else rest.pop(0).lstrip(PLAIN)
        else:
            plain.append(word)
    return tuple(plain), options


def _has_no_value(rest: Sequence[str]) -> bool:
    """Whether an option before these words has none: an option follows, what stood after `--`, or nothing."""
    return not rest or (rest[0].startswith(("--", PLAIN)) and not rest[0].startswith(_MARKED))


def by_fields(
    fields: Collection[str], plain: tuple[str, ...], options: dict[str, Any]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """`--history "Alien; Blade Runner"` of a model whose examples have a history: the fields of an example by their names.

    They become arguments in the order of the fields; UsageError where some are missing, or there are arguments too.

    >>> by_fields(["history"], (), {"history": "Alien", "top": "3"})
    (('Alien',), {'top': '3'})
    """
    named = [name for name in fields if name in options]
    if not named:
        return plain, options
    from lamella.errors import UsageError

    if len(named) < len(fields) or plain:
        missing = " and ".join(f"--{name}" for name in fields if name not in options)
        received = f"the argument {plain[0][:60]!r} too" if plain else f"no {missing}"
        raise UsageError(f"expected {' and '.join(f'--{name}' for name in fields)} alone, received {received}.")
    rest = {name: value for name, value in options.items() if name not in named}
    return tuple(options[name] for name in fields), rest


def split_columns(text: str | None) -> dict[str, str] | None:
    from lamella.errors import UsageError

    if text is None:
        return None
    parts = [p.partition("=") for p in text.split(",")]
    if not all(name and equals for name, equals, _ in parts):
        raise UsageError(f"--columns {text[:80]}: expected FIELD=COLUMN,... such as text=review,label=stars.")
    return {name.strip(): value.strip() for name, _, value in parts}


def to_json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
