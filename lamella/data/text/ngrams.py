"""Words, pairs of words and parts of words as numbers: hashed, so that no list of them is kept and none is unknown.

    "not bad"   ->   not, <not, ot>, ..., bad, not bad   ->   ids below the number of buckets

Parts of words make "cycling" and "cyclist" related, and what was never seen in training still has parts that were
(Bojanowski et al., 2017). Scripts without spaces have no words: there single characters and runs of two and three are
taken. Two features may fall into one bucket by chance (the hashing trick; Weinberger et al., 2009).
"""

import re
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lamella.data.text.pieces import normalise

Ints = NDArray[np.int32]

ROW = 16  # ids in one row of an array: a text's rows are then about as many as its words
LETTERS = (3, 4, 5)
READ = 20_000  # characters of a text
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"
_TOKEN = re.compile(rf"[{_IDEOGRAPHS}]+|[^\W{_IDEOGRAPHS}]+(?:'[^\W{_IDEOGRAPHS}]+)*|[^\w\s]")


def plain(text: str) -> str:
    """In lower case, in one form, at most `READ` characters, and such as every library takes: half a surrogate is "?".

    >>> plain("  L’Été… ")
    "l'été..."
    """
    return normalise(text[:READ].encode(errors="replace").decode()).lower()


def words(text: str) -> list[str]:
    """Words, marks, and runs of ideographs.

    >>> words("It isn't bad: 中国人")
    ['It', "isn't", 'bad', ':', '中国人']
    """
    return _TOKEN.findall(text)


def ngrams(text: str) -> list[str]:
    """The features of a plain text, in order and as often as they stand in it.

    >>> ngrams("so bad")
    ['so', '~<so', '~so>', '~<so>', 'bad', '~<ba', '~bad', '~ad>', '~<bad', '~bad>', '~<bad>', 'so bad']
    >>> ngrams("中国人")
    ['中', '国', '人', '中国', '国人', '中国人']
    """
    features: list[str] = []
    before = ""
    for word in words(text):
        if "\u3040" <= word[0] <= "\u9fff":
            features += [word[i : i + n] for n in (1, 2, 3) for i in range(len(word) - n + 1)]
            before = ""
            continue
        features.append(word)
        if word[0].isalnum():
            edged = f"<{word}>"
            features += [f"~{edged[i : i + n]}" for n in LETTERS for i in range(len(edged) - n + 1)]
            if before:
                features.append(f"{before} {word}")
            before = word
    return features


def bucket(feature: str, buckets: int) -> int:
    """The id of a feature, from 1 to `buckets` - 1; 0 is padding. CRC-32 is the same on every machine, unlike `hash`.

    >>> bucket("bad", 1000)
    29
    """
    return zlib.crc32(feature.encode()) % (buckets - 1) + 1


def hashed(text: str, buckets: int) -> Ints:
    """The ids of a plain text's features, (R, ROW), zeros at the end; at least one row.

    >>> hashed("so bad", 1000).shape
    (1, 16)
    """
    ids = [bucket(feature, buckets) for feature in ngrams(text)]
    rows = np.zeros((max(1, -(-len(ids) // ROW)), ROW), np.int32)
    rows.flat[: len(ids)] = ids
    return rows


def inverse_frequency(rows: Sequence[Ints], size: int) -> NDArray[np.float32]:
    """How much each id tells: the logarithm of how rare it is among texts (Sparck Jones, 1972), (size,).

    rows: the ids of each text. One that stands in no text weighs as if it stood in one.

    >>> inverse_frequency([np.array([1, 1, 2]), np.array([1])], 4).astype(float).round(2).tolist()
    [1.1, 0.0, 0.41, 1.1]
    """
    counts = np.zeros(size)
    for ids in rows:
        counts[np.unique(ids)] += 1
    counts[0] = 0  # padding
    return np.log((len(rows) + 1) / (counts + 1)).astype(np.float32)
