"""The fields of a protobuf message, read from its bytes and written to them, without the library and without copies.

A message is a row of fields, each a number and a kind in one varint, then a varint, eight bytes, four bytes, or a length
and so many bytes (protobuf's encoding guide). Groups, which are out of use, are an error.
"""

from collections.abc import Iterator

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5  # kinds
MOST = 100_000  # fields of one message: more is no file of ours
Span = tuple[int, int]


def message_fields(raw: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, Span]]:
    """(number, kind, where the field begins, where its bytes lie - or its value, twice, for a varint).

    Raises ValueError where the bytes are no message.
    """
    for _ in range(MOST):
        if at >= end:
            return
        begin = at
        key = raw[at]
        at += 1
        if key > 127:  # most keys are one byte long, and this loop is what reading a graph costs
            key, at = read_varint(raw, begin, end)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = read_varint(raw, at, end)
            yield number, kind, begin, (value, value)
            continue
        if kind == BYTES:
            length, at = read_varint(raw, at, end)
        elif kind in (EIGHT, FOUR):
            length = 8 if kind == EIGHT else 4
        else:
            raise ValueError(f"a field of kind {kind}")
        if length > end - at:
            raise ValueError("a field that is longer than what it stands in")
        yield number, kind, begin, (at, at + length)
        at += length
    if at < end:
        raise ValueError(f"more than {MOST:,} fields")


def read_varint(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """Decode a varint: seven bits a byte, lowest first, the eighth set if more follow -> value, end position.

    >>> read_varint(bytes([0xAC, 0x02]), 0, 2)
    (300, 2)
    """
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        value |= (raw[at] & 127) << shift
        at += 1
        if raw[at - 1] < 128:
            return value, at
    raise ValueError("a number that does not end")


def varint(value: int) -> bytes:
    """Encode a number as a varint.

    >>> varint(300)
    b'\\xac\\x02'
    """
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def message_field(number: int, content: bytes | str) -> bytes:
    """Encode a field of bytes or of text."""
    content = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | BYTES) + varint(len(content)) + content
