"""Check a vocabulary file before its library loads it: from its bytes, in a few milliseconds.

The library, sentencepiece, reads more than our files hold: tables of how letters are replaced, whose places it trusts,
other kinds of vocabulary. `check` lets through what `pieces.learn` and the import of other programs' vocabularies write:
pieces with finite scores, the first four the marks that all tasks count on, unigram, letters left as they are, and pieces
for single bytes only where there is one for each of the 256 (sentencepiece_model.proto).
"""

import math
import struct

from lamella.storage.protobuf import BYTES, FOUR, VARINT, Span, message_fields

LARGEST = 32 << 20  # bytes of a vocabulary
LONGEST = 200  # bytes of a piece
PIECE, TRAINER, NORMALIZER = 1, 2, 3  # fields of the file
NORMAL, UNKNOWN, CONTROL, MARK, UNUSED, BYTE = 1, 2, 3, 4, 5, 6  # types of piece
FIRST = [CONTROL, UNKNOWN, CONTROL, CONTROL]  # padding, unknown, start, end
UNIGRAM = 1
# The library's own tables of how letters are replaced, by name; one that comes in a file is never used.
NORMALISERS = ("identity", "nmt_nfkc", "nfkc", "nmt_nfkc_cf", "nfkc_cf")
BYTES_TOO = 35  # of the trainer's settings: whether what no piece holds is written as bytes
BYTE_PIECES = {f"<0x{i:02X}>".encode() for i in range(256)}
# Of the trainer's settings: number -> what it must be where it stands. Kind, and the ids of the four marks.
SETTINGS = {3: UNIGRAM, 40: 1, 41: 2, 42: 3, 43: 0}
IDS = {43}  # by themselves these are not what we use, so they must stand


def check(raw: bytes) -> None:
    """Raise ValueError, with the reason, if this is not a vocabulary as lamella writes it."""
    if not 0 < len(raw) <= LARGEST:
        raise ValueError(f"{len(raw):,} bytes, expected 1 to {LARGEST:,}")
    types: list[int] = []
    seen: set[bytes] = set()
    single: set[bytes] = set()  # pieces for bytes
    by_bytes = False
    parts: set[int] = set()
    for number, kind, _, span in message_fields(raw, 0, len(raw)):
        if kind != BYTES or number not in (PIECE, TRAINER, NORMALIZER) or (number != PIECE and number in parts):
            raise ValueError(f"part {number}, which lamella does not write, or writes once")
        parts.add(number)
        if number == PIECE:
            text, one = _piece(raw, span)
            types.append(one)
            seen.add(text)
            if one == BYTE:
                single.add(text)
        elif number == TRAINER:
            by_bytes = _trainer(raw, span)
        else:
            _normalizer(raw, span)
    if parts != {PIECE, TRAINER, NORMALIZER}:
        raise ValueError("it ends too early")
    if types[:4] != FIRST or UNKNOWN in types[4:] or len(seen) != len(types):
        raise ValueError("its first four pieces are not padding, unknown, start and end, or a piece stands twice")
    if single != (BYTE_PIECES if by_bytes else set()):
        raise ValueError(f"it has pieces for {len(single)} single bytes, expected {256 if by_bytes else 'none'}")


def _piece(raw: bytes, span: Span) -> tuple[bytes, int]:
    """The text of a piece, and its type."""
    at, end = span
    # As they are nearly always written: the text, the score, and a type of one byte where it is not normal.
    size = raw[at + 1] if end - at > 1 and raw[at] == 0x0A else 255
    after = at + 2 + size
    if 0 < size < 128 and raw[after : after + 1] == b"\x15" and end - after in (5, 7):
        text, (score,) = raw[at + 2 : after], struct.unpack_from("<f", raw, after + 1)
        kind = NORMAL
        if end - after == 7:
            kind = raw[after + 6] if raw[after + 5] == 0x18 else 0
    else:
        text, score, kind = _long_piece(raw, span)
    if not math.isfinite(score) or kind not in range(NORMAL, BYTE + 1) or not 0 < len(text) <= LONGEST:
        raise ValueError(f"a piece of {len(text)} bytes, type {kind}, score {score}")
    text.decode()
    return text, kind


def _long_piece(raw: bytes, span: Span) -> tuple[bytes, float, int]:
    text, score, kind = b"", 0.0, NORMAL
    count = 0
    for number, form, _, where in message_fields(raw, *span):
        count += 1
        if (number, form) == (1, BYTES):
            text = raw[slice(*where)]
        elif (number, form) == (2, FOUR):
            (score,) = struct.unpack_from("<f", raw, where[0])
        elif (number, form) == (3, VARINT):
            kind = where[0]
        else:
            count = 9
        if count > 3:
            raise ValueError("a piece with something else in it")
    return text, score, kind


def _trainer(raw: bytes, span: Span) -> bool:
    """Whether characters without a piece are encoded as bytes (byte fallback)."""
    by_bytes = False
    ids: set[int] = set()
    for number, kind, _, where in message_fields(raw, *span):
        ids.add(number)
        if number in SETTINGS and (kind, where[0]) != (VARINT, SETTINGS[number]):
            raise ValueError("its kind, or the ids of padding, unknown, start and end, are not those of lamella")
        if number == BYTES_TOO:
            by_bytes = (kind, where[0]) == (VARINT, 1)
        if kind == BYTES:
            raw[slice(*where)].decode()
            if number == 44 and where[1] - where[0] > 16:
                raise ValueError(f"what is written for an unknown piece is {where[1] - where[0]:,} bytes long")
    if not ids >= IDS:
        raise ValueError("the ids of padding, unknown, start and end are not those of lamella")
    return by_bytes


def _normalizer(raw: bytes, span: Span) -> None:
    for number, kind, _, (a, b) in message_fields(raw, *span):
        if (
            number not in (1, 2, 3, 4, 5)
            or (number == 2 and b > a)
            or (number > 2 and (kind, a) not in ((0, 0), (0, 1)))
        ):
            raise ValueError("it replaces letters by a table of its own")
        if number == 1:
            raw[a:b].decode()
