"""Vocabularies for text generation, text -> ids -> text: characters, or pieces of words with line breaks.

Ids: 0 padding, 1 unknown, 2 start, 3 end, then the tokens. Both kinds have one interface: `encode`, `decode`, `len`.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from lamella.data.text.pieces import END, UNKNOWN, Pieces, learn, limit

FIRST = END + 1  # id of the first token; those below are special and never generated
BREAK = "\u2424"  # replaces line breaks, since pieces only know spaces
PART = 4096  # characters that are cut into pieces at a time: the time grows faster than the text


class Characters:
    """A vocabulary whose tokens are characters.

    >>> units = Characters(Characters.learn(["abba"], most=9))
    >>> units.encode("bad"), units.decode([], [5, 4])
    ([5, 4, 1], 'ba')
    """

    def __init__(self, letters: Sequence[str]) -> None:
        self.letters = letters
        self.ids = {letter: i for i, letter in enumerate(letters, start=FIRST)}

    def __len__(self) -> int:
        return FIRST + len(self.letters)

    @staticmethod
    def learn(texts: Sequence[str], most: int) -> list[str]:
        """The most frequent characters of these texts."""
        counts = Counter(letter for text in texts for letter in text)
        return sorted(letter for letter, _ in counts.most_common(most))

    def encode(self, text: str) -> list[int]:
        limit(text)
        return [self.ids.get(letter, UNKNOWN) for letter in text]

    def decode(self, before: Sequence[int], tokens: Sequence[int]) -> str:
        """The text of `tokens`; for characters it does not depend on the tokens before."""
        return "".join(self.letters[i - FIRST] for i in tokens)

    def words(self, tokens: Sequence[int]) -> tuple[list[str], list[int]]:
        """The words that these ids make, and at which id each begins, the space before it its own."""
        matches = list(re.finditer(r"\s*\S+\s*$|\s*\S+|\s+$", self.decode([], tokens)))
        return [match[0].strip() or "(space)" for match in matches], [match.start() for match in matches]


class Words:
    """A vocabulary whose tokens are pieces of words; a line break is a piece, and several spaces become one.

    >>> units = Words(Words.learn(["to be or\\nnot to be"] * 20, most=50))
    >>> ids = units.encode("to be\\n\\nor not")
    >>> units.decode([], ids), units.decode(ids[:1], ids[1:])[-8:]
    ('to be\\n\\nor not', '\\n\\nor not')
    """

    def __init__(self, raw: bytes) -> None:
        self.pieces = Pieces(raw)

    def __len__(self) -> int:
        return len(self.pieces)

    @staticmethod
    def learn(texts: Sequence[str], most: int) -> bytes:
        """Learn a vocabulary of at most this many pieces."""
        return learn([_marked(line) for text in texts for line in text.splitlines(keepends=True)], most, [BREAK])

    def encode(self, text: str) -> list[int]:
        from lamella.data.readers.passages import cut

        limit(text)
        parts = cut(text.encode(errors="replace").decode(), PART, whole_words=True)
        return [i for ids in self.pieces.encode([_marked(part) for part in parts]) for i in ids]

    def decode(self, before: Sequence[int], tokens: Sequence[int]) -> str:
        """The text of `tokens` after those before; only the first piece of a whole text loses its leading space."""
        whole, known = self.pieces.decode([[*before, *tokens], before])
        return _unmarked(whole)[len(_unmarked(known)) :]

    def words(self, tokens: Sequence[int]) -> tuple[list[str], list[int]]:
        """As `Characters.words`."""
        words, starts = self.pieces.words(tokens)
        return [word.replace(BREAK, "") or "(break)" for word in words], starts


def by_frequency(learn: Iterable[Sequence[int]], rows: Sequence[Sequence[int]]) -> list[float]:
    """The log-probability in nats of each row under token frequencies alone (a unigram model).

    >>> [round(x, 4) for x in by_frequency([[4, 4, 5]], [[4], [5, 6]])]  # 3 of 6, then 2 of 6 and 1 of 6
    [-0.6931, -2.8904]
    """
    counts = Counter(i for row in learn for i in row)
    total = sum(counts.values()) + len(counts) + 1  # add-one smoothing; all unknown tokens count as one
    return [sum(math.log((counts[i] + 1) / total) for i in row) for row in rows]


def _marked(text: str) -> str:
    return text.replace("\n", BREAK + " ")


def _unmarked(text: str) -> str:
    return text.replace(BREAK + " ", "\n").replace(BREAK, "\n")
