"""Subword vocabularies (SentencePiece unigram; Kudo, 2018) for the tasks that read and write text.

Ids: 0 padding, 1 unknown, 2 start, 3 end, then the marks that a task asks for, then pieces.
"""

import hashlib
import io
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from lamella.data.text import piece_file
from lamella.errors import DataError, ModelError, UsageError
from lamella.storage.checksums import SHIPPED

PADDING, UNKNOWN, START, END = 0, 1, 2, 3
PART = 4096  # characters that are cut into pieces at a time
MOST = 1_000_000  # characters of a text
FEW = 8  # texts for which a call each takes no longer than one for all
MANY = 4096  # texts from which on the library's threads are worth their start
SILENT = 4  # of sentencepiece's levels of logging: what goes wrong is an exception
LINE = 200  # characters of what it says of an error

# One form for what typesetting varies and meaning does not: straight apostrophes and quotes, three dots, plain spaces.
_SAME = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "ʼ": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "…": "...",
        "\u00a0": " ",
        "\u202f": " ",
        "\u2009": " ",
    }
    | {"\u2011": "-", "\u00ad": None, "\u200b": None, "\ufeff": None}
)


def normalise(text: str) -> str:
    """Normalise a text for training and prediction alike: composed letters, straight quotes, single plain spaces.

    >>> normalise("l’été…\\u00a0!")
    "l'été... !"
    """
    if not text.isascii():  # nothing else is changed
        text = unicodedata.normalize("NFC", text).translate(_SAME)
    return " ".join(text.split())


def limit(text: str) -> None:
    """Raise UsageError for a text of more than `MOST` characters, before any work on it."""
    if len(text) > MOST:
        raise UsageError(f"expected a text of at most {MOST:,} characters, received {len(text):,}. Divide it.")


class Pieces:
    """A trained vocabulary: text -> ids -> text.

    name: of its file, for messages. normaliser: one of the library's own tables of how letters are replaced before a text
    is cut, for vocabularies of other programs. Whatever the library fails at is a ModelError.
    """

    def __init__(self, raw: bytes, name: str = "vocabulary.model", normaliser: str = "identity") -> None:
        import sentencepiece

        self.name = name
        self.normaliser: Any = None
        self._alone: set[str] = set()  # characters that are known to be pieces by themselves
        try:
            if hashlib.sha256(raw).hexdigest() not in SHIPPED:
                piece_file.check(raw)
            sentencepiece.set_min_log_level(SILENT)
            self.processor: Any = sentencepiece.SentencePieceProcessor()
            self.processor.LoadFromSerializedProto(raw)
            if normaliser != "identity":
                if normaliser not in piece_file.NORMALISERS:
                    raise ValueError(f"letters are replaced as {normaliser[:40]!r} says, which is unknown")
                self.normaliser = sentencepiece.SentencePieceNormalizer(
                    rule_name=normaliser, add_dummy_prefix=False, escape_whitespaces=False
                )
        except Exception as error:
            raise self._damaged(error) from error
        ids = [self.processor.pad_id(), self.processor.unk_id(), self.processor.bos_id(), self.processor.eos_id()]
        if ids != [PADDING, UNKNOWN, START, END]:
            raise self._damaged(ValueError(f"padding, unknown, start and end are {ids}, expected 0, 1, 2, 3"))

    def _damaged(self, error: Exception) -> ModelError:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:LINE]
        return ModelError(f"{self.name}: not a vocabulary of lamella, or damaged ({reason}). Copy the model again.")

    def __len__(self) -> int:
        return int(self.processor.GetPieceSize())

    def __repr__(self) -> str:
        return f"Pieces({len(self)})"

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Texts -> ids, without start and end. A long text is cut into parts first, since time and memory are by length.

        UsageError for a text of more than `MOST` characters.
        """
        if self.normaliser is not None:
            for text in texts:
                limit(text)
            texts = [str(self.normaliser.Normalize(text)) for text in texts]
        if any(len(text) > PART for text in texts):
            return [self._encode_long(text) for text in texts]
        return self._cut(texts)

    def _cut(self, texts: Sequence[str]) -> list[list[int]]:
        try:
            if len(texts) <= FEW:
                return [self.processor.EncodeAsIds(text) for text in texts]
            threads = -1 if len(texts) > MANY else 1  # -1: as many as the library likes
            ids: list[list[int]] = self.processor.EncodeAsIds(list(texts), num_threads=threads)
        except Exception as error:
            raise self._damaged(error) from error
        return ids

    def _encode_long(self, text: str) -> list[int]:
        limit(text)
        parts, first = [], 0
        while first < len(text):
            last = first + PART
            space = text.rfind(" ", first + PART // 2, last) if last < len(text) else -1
            last = space + 1 if space > 0 else last
            parts.append(text[first:last])
            first = last
        return [i for ids in self._cut(parts) for i in ids]

    def decode(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Ids -> texts."""
        try:
            if len(ids) <= FEW or not all(map(len, ids)):
                return [self.processor.DecodeIds(list(i)) for i in ids]
            texts: list[str] = self.processor.DecodeIds([list(i) for i in ids], num_threads=1)
            return texts
        except Exception as error:  # such as ids that a net of another vocabulary has given
            raise self._damaged(error) from error

    def words(self, ids: Sequence[int]) -> tuple[list[str], list[int]]:
        """The words of these ids, the end token as a word of its own, and the index at which each begins."""
        pieces = [self.processor.IdToPiece(int(i)) for i in ids]
        starts = [i for i, p in enumerate(pieces) if not i or p.startswith("\u2581") or ids[i] == END]
        ends = [*starts[1:], len(ids)]
        return [self.decode([ids[a:b]])[0] or "(end)" for a, b in zip(starts, ends, strict=True)], starts

    def mark(self, name: str) -> int:
        """The id of a mark such as `<2fr>`."""
        return int(self.processor.PieceToId(name))

    def knows(self, text: str) -> bool:
        """Whether a text can be encoded and decoded without loss."""
        if self.processor.PieceToId("<0x00>") != UNKNOWN and self.processor.IsByte(self.processor.PieceToId("<0x00>")):
            return True  # what no piece holds is written as bytes
        fresh = set(normalise(text)) - self._alone
        if all(map(self._stands_alone, fresh)):
            self._alone |= fresh
            return True
        return fresh <= self.letters

    def _stands_alone(self, letter: str) -> bool:
        """Whether a character is a piece by itself, as nearly all are: to collect those of all pieces takes as long as to
        translate a sentence.
        """
        if "\ud800" <= letter <= "\udfff":  # half a character, which is no text to sentencepiece
            return False
        number = self.processor.PieceToId("\u2581" if letter == " " else letter)
        return letter != "\u2581" and number > END and not self.processor.IsUnused(number)

    def letters_per_piece(self, texts: Sequence[str]) -> float:
        """How many letters a piece of these texts stands for in the mean, unknown pieces for none: 4 and more where the
        vocabulary was learned from their language, 2 where it was learned from another one of the same script. A Chinese
        character says about what two letters say.
        """
        wholes = [normalise(text) for text in texts]
        ids = [i for row in self.encode(wholes) for i in row]
        pieces = [str(self.processor.IdToPiece(i)) for i in ids if i != UNKNOWN]
        letters = [sum(1 + ("\u3400" <= c <= "\u9fff") for c in piece if c.isalpha()) for piece in pieces]
        lost = sum(i == UNKNOWN for i in ids)
        return sum(letters) / max(1, sum(n > 0 for n in letters) + lost)

    @cached_property
    def letters(self) -> frozenset[str]:
        """All characters in the pieces; others cannot be encoded."""
        pieces = (self.processor.IdToPiece(i) for i in range(4, len(self)) if not self.processor.IsUnused(i))
        return frozenset("".join(pieces).replace("\u2581", " "))


def learn(
    texts: Iterable[str],
    size: int,
    marks: Sequence[str] = (),
    threads: int = 1,
    sentences: int = 400_000,
    required: str = "",
) -> bytes:
    """Texts -> a vocabulary of at most `size` pieces, as bytes.

    Digits stand alone, so that any number can be copied; `marks` are pieces of their own wherever they stand, and each
    character of `required` is one, however rare it is in these texts.
    """
    import sentencepiece

    texts = list(texts)
    out = io.BytesIO()

    def train(limit: int) -> None:
        sentencepiece.SentencePieceTrainer.Train(
            sentence_iterator=iter(texts),
            model_writer=out,
            vocab_size=limit,
            hard_vocab_limit=False,  # a small text may not have that many pieces
            model_type="unigram",
            pad_id=PADDING,
            unk_id=UNKNOWN,
            bos_id=START,
            eos_id=END,
            user_defined_symbols=list(marks),
            required_chars=required,
            normalization_rule_name="identity",
            split_digits=True,
            character_coverage=0.9998,
            input_sentence_size=sentences,
            shuffle_input_sentence=True,
            max_sentence_length=16384,
            num_threads=threads,
            minloglevel=2,
            unk_surface=" \u2047 ",
        )

    try:
        train(size)
    except RuntimeError as error:
        raise DataError(f"no vocabulary could be made of {len(texts)} texts: {str(error).strip()[-160:]}") from error
    return out.getvalue()
