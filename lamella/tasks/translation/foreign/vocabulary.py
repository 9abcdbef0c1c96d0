"""The vocabularies of other translators -> vocabularies as lamella writes them, an id for each row of the tables.

Marian's nets know pieces by ids of their own: those of a `vocab.yml` or `vocab.json` (OPUS-MT, where `source.spm` and
`target.spm` only cut texts into pieces), or those of the SentencePiece file itself (Firefox). Here the ids are put in
lamella's order - padding, unknown, start, end, then all others as they were - and written as one SentencePiece file a side.
A piece that has a row but that this side's file does not know is kept as "unused": it is never cut, but can be written. Only
single letters of the other side are cut too, as less likely than anything known: Marian looks letters that SentencePiece
does not know up in the common vocabulary all the same. (It does so for a run of them at once, and mostly in vain.)

How letters are replaced before texts are cut is a table inside the file, whose places the library trusts. It is never
handed over: its name says which of the library's own tables it is, and that one is used.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lamella.data.text.piece_file import (
    BYTE,
    FIRST,
    LARGEST,
    LONGEST,
    MARK,
    NORMAL,
    NORMALISERS,
    UNIGRAM,
    UNKNOWN,
    UNUSED,
)
from lamella.errors import ModelError
from lamella.storage.protobuf import BYTES, FOUR, VARINT, Span, message_field, message_fields, varint

MOST_PIECES = 400_000
UNLIKELY = 10.0  # by how much SentencePiece puts an unknown letter below the least likely piece, in nats
NAMES = ("<pad>", "<unk>", "<s>", "</s>")  # of the first four
KINDS = {1: "unigram", 2: "BPE", 3: "words", 4: "characters"}


@dataclass(frozen=True)
class Piece:
    text: str
    score: float
    kind: int  # NORMAL, UNKNOWN, CONTROL, MARK, UNUSED or BYTE


@dataclass
class PieceFile:
    """What a SentencePiece file says."""

    pieces: list[Piece] = field(default_factory=list)
    normaliser: str = "identity"
    flags: dict[int, int] = field(default_factory=dict)  # of the normaliser: blanks at the start, doubled blanks, ...
    bytes: bool = False  # letters that no piece holds are written as bytes
    suffix: bool = False  # blanks stand at the end of a piece
    unknown: int = 0
    end: int = -1


def read_pieces(raw: bytes, where: str) -> PieceFile:
    """The bytes of a SentencePiece file -> what it says. Raises ModelError that names `where`."""
    try:
        return _read(raw)
    except (ValueError, struct.error) as error:
        raise ModelError(
            f"{where}: expected a SentencePiece vocabulary that lamella can use, and {error}. "
            "Supported: unigram vocabularies with the table of letters identity, nmt_nfkc, nfkc, nmt_nfkc_cf or nfkc_cf."
        ) from error


def _read(raw: bytes) -> PieceFile:
    if not 0 < len(raw) <= LARGEST:
        raise ValueError(f"it has {len(raw):,} bytes, expected 1 to {LARGEST:,}")
    found = PieceFile()
    for number, kind, _, span in message_fields(raw, 0, len(raw)):
        if number == 1 and kind == BYTES:
            found.pieces.append(_piece(raw, span))
        elif number == 2 and kind == BYTES:
            _trainer(raw, span, found)
        elif number == 3 and kind == BYTES:
            _normaliser(raw, span, found)
        elif number == 5 and span[1] > span[0]:
            raise ValueError("it replaces letters of the answer by a table of its own")
        elif number != 4 and number != 5:  # 4: a test of itself
            raise ValueError(f"it has a part {number}, which is none of SentencePiece's")
    kinds = [p.kind for p in found.pieces]
    if kinds.count(UNKNOWN) != 1 or len({p.text for p in found.pieces}) < len(kinds):
        raise ValueError("it has no unknown piece, or a piece twice")
    found.unknown = kinds.index(UNKNOWN)
    return found


def _piece(raw: bytes, span: Span) -> Piece:
    text, score, kind = "", 0.0, NORMAL
    for number, form, _, where in message_fields(raw, *span):
        if (number, form) == (1, BYTES):
            text = raw[slice(*where)].decode()
        elif (number, form) == (2, FOUR):
            (score,) = struct.unpack_from("<f", raw, where[0])
        elif (number, form) == (3, VARINT):
            kind = where[0]
    if not math.isfinite(score) or kind not in range(1, 7) or not 0 < len(text.encode()) <= LONGEST:
        raise ValueError(f"a piece of {len(text)} letters, kind {kind}, score {score}")
    return Piece(text, score, kind)


def _trainer(raw: bytes, span: Span, found: PieceFile) -> None:
    for number, kind, _, where in message_fields(raw, *span):
        if kind != VARINT:
            continue
        if number == 3 and where[0] != UNIGRAM:
            raise ValueError(f"it is of the kind {KINDS.get(where[0], where[0])}")
        if number == 35:
            found.bytes = bool(where[0])
        elif number == 24:
            found.suffix = bool(where[0])
        elif number == 42:
            found.end = where[0] if where[0] < MOST_PIECES else -1  # -1, none, is the largest number there is


def _normaliser(raw: bytes, span: Span, found: PieceFile) -> None:
    table = False
    for number, kind, _, where in message_fields(raw, *span):
        if number == 1 and kind == BYTES:
            found.normaliser = raw[slice(*where)].decode()
        elif number == 2 and kind == BYTES:
            table = where[1] > where[0]
        elif number in (3, 4, 5) and kind == VARINT:
            found.flags[number] = int(bool(where[0]))
        else:
            raise ValueError("it has rules of its own for replacing letters")
    if not table:
        found.normaliser = "identity"
    if found.normaliser not in NORMALISERS:
        raise ValueError(f"its table of letters is {found.normaliser[:40]!r}")


@dataclass(frozen=True)
class Words:
    """The rows of a table: what each stands for, and which are special."""

    texts: Sequence[str]
    unknown: int
    end: int
    padding: int | None = None  # Marian has none: its decoder starts from zeros

    def order(self) -> list[int | None]:
        """Which old row each new one is: padding, unknown, start, end, and all others as they were; None: zeros."""
        special = {self.unknown, self.end, self.padding}
        return [
            self.padding, self.unknown, self.padding, self.end, *(i for i in range(len(self.texts)) if i not in special)
        ]  # fmt: skip


def words_of(ids: Mapping[str, object], where: str) -> Words:
    """A `vocab.yml` or `vocab.json`, piece -> id -> what each row stands for. Raises ModelError where ids are missing."""
    texts: list[str | None] = [None] * len(ids)
    for text, value in ids.items():
        if isinstance(value, str) and value.isdecimal() and len(value) < 10:
            value = int(value)
        id_ = value if isinstance(value, int) and not isinstance(value, bool) else -1
        if not 0 <= id_ < len(texts) or texts[id_] is not None:
            raise ModelError(
                f"{where}: expected the ids 0 to {len(ids) - 1:,}, each once; {text[:40]!r} has {str(value)[:20]!r}. "
                "Copy the file again."
            )
        texts[id_] = text
    whole = [text or "" for text in texts]
    for name in ("</s>", "<unk>"):
        if name not in ids:
            raise ModelError(f"{where}: has no {name}, which Marian's vocabularies have. Is it of another program?")
    padding = whole.index("<pad>") if "<pad>" in ids else None
    return Words(whole, whole.index("<unk>"), whole.index("</s>"), padding)


def words_of_pieces(found: PieceFile, where: str) -> Words:
    """The rows of a table whose ids are those of the SentencePiece file."""
    texts = [p.text for p in found.pieces]
    end = found.end if 0 <= found.end < len(texts) else texts.index("</s>") if "</s>" in texts else -1
    if end < 0:
        raise ModelError(f"{where}: has no piece for the end of a sentence (</s>), which Marian's vocabularies have.")
    return Words(texts, found.unknown, end)


def write_pieces(words: Words, found: PieceFile) -> bytes:
    """A SentencePiece file of lamella's form whose ids are the new rows: `words` in their new order, cut as `found` says."""
    known = {p.text: p for p in found.pieces}
    # Letters that no piece holds can be written as bytes only where the table has a row for each of the 256.
    bytes_ = found.bytes and sum(known[t].kind == BYTE for t in words.texts if t in known) == 256
    kept = {NORMAL, MARK, BYTE} if bytes_ else {NORMAL, MARK}
    least = min((p.score for p in found.pieces if p.kind == NORMAL), default=0.0) - UNLIKELY
    out = bytearray()
    for text, kind in zip(NAMES, FIRST, strict=True):
        out += _written(Piece(text, 0.0, kind))
    for row in words.order()[4:]:
        text = words.texts[row or 0]
        piece = known.get(text)
        if text in NAMES or not 0 < len(text.encode()) <= LONGEST:
            text, piece = f"(row {row})", None
        if piece is None and len(text) == 1:
            piece = Piece(text, least, NORMAL)
        out += _written(piece if piece is not None and piece.kind in kept else Piece(text, 0.0, UNUSED))
    settings = [(3, UNIGRAM), (24, int(found.suffix)), (35, int(bytes_)), (40, 1), (41, 2), (42, 3), (43, 0)]
    out += message_field(2, b"".join(varint(n << 3) + varint(v) for n, v in settings) + message_field(44, " \u2047 "))
    flags = b"".join(varint(n << 3) + varint(v) for n, v in sorted(found.flags.items()))
    out += message_field(3, message_field(1, "identity") + flags)
    return bytes(out)


def _written(piece: Piece) -> bytes:
    body = message_field(1, piece.text) + varint(2 << 3 | FOUR) + struct.pack("<f", piece.score)
    return message_field(1, body + (varint(3 << 3) + varint(piece.kind) if piece.kind != NORMAL else b""))
