"""The settings that Marian keeps beside its weights: YAML of a few plain forms, read without a YAML library.

    dim-emb: 512              a value
    dim-vocabs:               a list, a value a line, or in brackets
      - 32000
    "\\u2581the": 2           a key in quotes, as in `vocab.yml`

Whatever else YAML can say (anchors, tags, nested maps) Marian does not write, and is an error.
"""

import json
import re

Value = str | list[str]
MOST_LINES = 2_000_000
MOST_TEXT = 64 << 20  # characters


def read_settings(text: str) -> dict[str, Value]:
    """Text of `key: value` lines -> values as text, lists as lists. ValueError, with its line, for any other form.

    >>> read_settings("dim-emb: 512\\ndim-vocabs:\\n  - 9\\n  - 8\\nmodels: [a, b]\\nskip: false\\n")
    {'dim-emb': '512', 'dim-vocabs': ['9', '8'], 'models': ['a', 'b'], 'skip': 'false'}
    >>> read_settings('"\\\\u2581the": 2\\n")": 3\\n? long\\n: 4\\n')
    {'▁the': '2', ')': '3', 'long': '4'}
    """
    if len(text) > MOST_TEXT:
        raise ValueError(f"{len(text):,} characters are too many")
    found: dict[str, Value] = {}
    last, pending = "", ""
    for number, line in enumerate(text.split("\n", MOST_LINES), start=1):
        line = line.rstrip("\r\0")
        bare = line.strip(" ")
        if not bare or bare.startswith("#") or bare in ("---", "..."):
            continue
        if bare.startswith("- ") and isinstance(found.get(last), list):
            values = found[last]
            assert isinstance(values, list)
            values.append(_scalar(bare[2:], number))
            continue
        if line.startswith("? "):  # a key of more than 128 characters: its value is on the next line
            pending = line[2:]
            continue
        key, value = (pending, line[1:].strip(" ")) if pending and line.startswith(":") else _halves(line, number)
        pending, last = "", _scalar(key, number)
        if last in found:
            raise ValueError(f"line {number}: {last[:60]!r} stands twice")
        found[last] = _value(value, number)
    return found


def _halves(line: str, number: int) -> tuple[str, str]:
    """`key: value`; a quoted key may hold anything."""
    quoted = re.match(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*') *:(?: +|$)""", line)
    if quoted:
        return quoted[1], line[quoted.end() :].strip(" ")
    key, colon, value = line.rpartition(": ") if ": " in line else line.rpartition(":")
    if not colon or line[0] in " \t&*!|>%@`{[" or (line.endswith(":") and value):
        raise ValueError(f"line {number}: expected `key: value`, received {line[:60]!r}")
    return key, value.strip(" ")


def _value(text: str, number: int) -> Value:
    if not text:
        return []
    if text.startswith("[") and text.endswith("]"):
        return [_scalar(part, number) for part in text[1:-1].split(",") if part.strip()]
    return _scalar(text, number)


def _scalar(text: str, number: int) -> str:
    """A value without its quotes."""
    text = text.strip(" ")
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        # JSON's escapes are among those of YAML; \x is written for single bytes besides.
        plain = re.sub(r"(?<!\\)((?:\\\\)*)\\x([0-9a-fA-F]{2})", r"\1\\u00\2", text)
        plain = re.sub(r"(?<!\\)((?:\\\\)*)\\U([0-9a-fA-F]{8})", _wide, plain)
        for escape, code in ((r"\a", "0007"), (r"\v", "000b"), (r"\e", "001b"), (r"\_", "00a0"), (r"\N", "0085"),
                             (r"\L", "2028"), (r"\P", "2029"), (r"\0", "0000")):  # fmt: skip
            plain = re.sub(rf"(?<!\\)((?:\\\\)*){re.escape(escape)}", rf"\g<1>\\u{code}", plain)
        try:
            value = json.loads(plain)
        except ValueError as error:
            raise ValueError(f"line {number}: {text[:60]!r} is not a text in quotes") from error
        assert isinstance(value, str)
        return value
    return text


def _wide(match: re.Match[str]) -> str:
    """`\\U0001f600` as JSON has it: in two halves where it is beyond the first plane."""
    code = int(match[2], 16)
    letter = chr(code) if code < 0x110000 else "\ufffd"
    return match[1] + json.dumps(letter)[1:-1]
