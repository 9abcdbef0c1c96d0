"""Feature hashing: words, word bigrams and character n-grams as ids, without a vocabulary.

    "not bad"   ->   not, ~<no, ..., bad, ..., not bad   ->   ids below the number of buckets

Parts of words make "cycling" and "cyclist" related, and what was never seen in training still has parts that were
(Bojanowski et al., 2017). Scripts without spaces have no words: there single characters and runs of two and three are
taken. Two features may fall into one bucket by chance (the hashing trick; Weinberger et al., 2009).
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.text.lazy import lazy
from lamella.data.text.pieces import normalise

Ints = NDArray[np.int32]

ROW = 16  # ids in one row of an array: a text's rows are then about as many as its words
LETTERS = (3, 4, 5)
READ = 20_000  # characters of a text
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
_TOKEN = lazy(rf"[{_IDEOGRAPHS}]+|[^\W{_IDEOGRAPHS}]+(?:'[^\W{_IDEOGRAPHS}]+)*|[^\w\s]")


def plain(text: str) -> str:
    """Normalise a text: lower case, one Unicode form, at most `READ` characters, "?" for unpaired surrogates.

    An underscore parts words like a blank: in names of code, and where it stands for a word that was taken away.

    >>> plain("  L’Été… "), plain("max_size _")
    ("l'été...", 'max size')
    """
    return normalise(text[:READ].encode(errors="replace").decode().replace("_", " ")).lower()


def words(text: str) -> list[str]:
    """The words, punctuation marks and runs of ideographs of a text.

    >>> words("It isn't bad: 中国人")
    ['It', "isn't", 'bad', ':', '中国人']
    """
    return _TOKEN.findall(text)


def parts(word: str) -> list[str]:
    """A word and its parts, or the characters of a run of ideographs and their neighbours.

    >>> parts("bad"), parts("中国人")
    (['bad', '~<ba', '~bad', '~ad>', '~<bad', '~bad>', '~<bad>'], ['中', '国', '人', '中国', '国人', '中国人'])
    """
    if _ideographic(word):
        return [word[i : i + n] for n in (1, 2, 3) for i in range(len(word) - n + 1)]
    if not word[0].isalnum():
        return [word]
    edged = f"<{word}>"
    return [word, *(f"~{edged[i : i + n]}" for n in LETTERS for i in range(len(edged) - n + 1))]


def pairs(tokens: Sequence[str]) -> list[str]:
    """Word bigrams; not across punctuation marks, and not in scripts without spaces.

    >>> pairs(["not", "so", "bad", "!"])
    ['not so', 'so bad']
    """
    plain_words = [word[0].isalnum() and not _ideographic(word) for word in tokens]
    both = zip(pairwise(tokens), pairwise(plain_words), strict=True)
    return [f"{one} {other}" for (one, other), (left, right) in both if left and right]


def _ideographic(word: str) -> bool:
    return "\u3040" <= word[0] <= "\u9fff"


def bucket(feature: str, buckets: int) -> int:
    """The id of a feature, from 1 to `buckets` - 1; 0 is padding. CRC-32 is the same on every machine, unlike `hash`.

    >>> bucket("bad", 1000)
    29
    """
    return zlib.crc32(feature.encode()) % (buckets - 1) + 1


@lru_cache(maxsize=100_000)  # words come again and again: ten times as fast over a million texts
def _ids_of_word(word: str, buckets: int) -> list[int]:
    return [bucket(part, buckets) for part in parts(word)]


def ids(text: str, buckets: int) -> list[int]:
    """The ids of a plain text's features, as often as they stand in it: parts of words first, then pairs of words.

    >>> ids("bad", 1000) == [bucket(part, 1000) for part in parts("bad")]
    True
    """
    tokens = words(text)
    return [
        *(i for word in tokens for i in _ids_of_word(word, buckets)),
        *(bucket(pair, buckets) for pair in pairs(tokens)),
    ]


def hashed(text: str, buckets: int) -> Ints:
    """The ids of a plain text's features, (R, ROW), zeros at the end; at least one row.

    >>> hashed("so bad", 1000).shape
    (1, 16)
    """
    features = ids(text, buckets)
    rows = np.zeros((max(1, -(-len(features) // ROW)), ROW), np.int32)
    rows.flat[: len(features)] = features
    return rows


def inverse_frequency(rows: Sequence[NDArray[Any]], size: int) -> NDArray[np.float32]:
    """Inverse document frequency of each id (Sparck Jones, 1972): (size,).

    rows: the ids of each text. One that stands in no text weighs as if it stood in one.

    >>> inverse_frequency([np.array([1, 1, 2]), np.array([1])], 4).astype(float).round(2).tolist()
    [1.1, 0.0, 0.41, 1.1]
    """
    counts = np.zeros(size)
    for ids in rows:
        counts[np.unique(ids)] += 1
    counts[0] = 0  # padding
    return np.log((len(rows) + 1) / (counts + 1)).astype(np.float32)
