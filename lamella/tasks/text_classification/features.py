"""What a text contains, as a set of short strings: words, pairs of neighbours, and letters within words.

    the zip is not bad   ->   not, bad, not bad, ~<ba, ~bad, ~<bad, ~bad>, ...

With a few thousand examples, counting these tells more than any order of words that a net can learn: pairs hold most of
negation (Wang and Manning, 2012), and parts of words make "boring" and "boredom" related (Bojanowski et al., 2017).
"""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lamella.data.text.pieces import normalise
from lamella.errors import ModelError

Ints = NDArray[np.int32]

ROW = 16  # features that stand in one row of an array: a text's rows are then about as many as its words
LETTERS = (3, 4, 5)
READ = 20_000  # characters of a text that are read
PART = "~"  # prefix of a part of a word; by itself an ordinary mark
RARE = 2  # parts of words in fewer texts are dropped: there are many, and the words themselves are kept
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each is taken for a word
_TOKEN = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+(?:'[^\W{_IDEOGRAPHS}]+)*|[^\w\s]")


def cased(text: str) -> str:
    """Normalise a text: one Unicode form, limited length, without unpaired surrogates."""
    return normalise(text[:READ].encode(errors="replace").decode())


def plain(text: str) -> str:
    """As `cased`, in lower case."""
    return cased(text).lower()


def words(text: str) -> list[str]:
    """The words and punctuation marks of a text, in lower case.

    >>> words("It isn't bad, is it?")
    ['it', "isn't", 'bad', ',', 'is', 'it', '?']
    >>> words("今日 is today")
    ['今', '日', 'is', 'today']
    """
    return _TOKEN.findall(text.lower())


def features(text: str) -> list[str]:
    """The distinct features of a text, in order of appearance.

    >>> features("not bad")[:4], features("bad")[3:]
    (['not', 'bad', '\\n not', 'not bad'], ['~<ba', '~bad', '~ad>', '~<bad', '~bad>', '~<bad>'])
    """
    tokens = words(text)
    edged = ["\n", *tokens, "\n"]
    pairs = [f"{a} {b}" for a, b in pairwise(edged)]
    parts = []
    for word in tokens:
        if word[0].isalnum():
            inside = f"<{word}>"
            parts += [f"{PART}{inside[i : i + n]}" for n in LETTERS for i in range(len(inside) - n + 1)]
    return list(dict.fromkeys([*tokens, *pairs, *parts]))


def _is_part(name: str) -> bool:
    return len(name) > 1 and name[0] == PART and name[1] != " "


class FeatureSet:
    """The vocabulary of features seen in training, numbered from 1, most frequent first.

    Words and pairs that stand in one text only count too: half of all words are such, each tells little, together they
    tell whether a text is like others of its label (on film reviews two points of F1).

    >>> known = FeatureSet.learn(["good", "good", "bad"], most=100)
    >>> known.names[1], "bad" in known.names, "~bad" in known.names  # a part that stands in one text only is not kept
    ('good', True, False)
    >>> known.encode("good").tolist()[0][:4]
    [2, 1, 3, 4]
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.index = {name: i for i, name in enumerate(names, start=1)}

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"FeatureSet({len(self)})"

    @classmethod
    def learn(cls, texts: Sequence[str], most: int) -> "FeatureSet":
        """The `most` features that occur in the most texts."""
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(features(text))
        kept = [(name, count) for name, count in counts.items() if count >= RARE or not _is_part(name)]
        return cls([name for name, _ in sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:most]])

    @classmethod
    def load(cls, raw: bytes) -> "FeatureSet":
        """From `dump`. ModelError for bytes that are no text."""
        try:
            return cls(raw.decode().split("\t") if raw else [])
        except UnicodeDecodeError as error:
            raise ModelError(f"features.model: expected names in UTF-8, and {error}. Do not use this model.") from error

    def dump(self) -> bytes:
        """As bytes; no feature holds a tab."""
        return "\t".join(self.names).encode()

    @property
    def parts(self) -> NDArray[np.bool_]:
        """For each id, whether it is a part of a word: (1 + N,)."""
        return np.array([False, *map(_is_part, self.names)])

    def encode(self, text: str) -> Ints:
        """The ids of a text's features, (R, 16), zeros at the end; at least one row."""
        ids = [self.index[name] for name in features(text) if name in self.index]
        rows = np.zeros((max(1, -(-len(ids) // ROW)), ROW), np.int32)
        rows.flat[: len(ids)] = ids
        return rows
