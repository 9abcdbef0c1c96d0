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
MANY = 8  # texts from which on their features are told apart together
KEPT, LONGEST = 1 << 16, 40  # words whose parts are kept, and letters of the longest of them
RARE = 2  # parts of words in fewer texts are dropped: there are many, and the words themselves are kept
_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"  # written without spaces: each is taken for a word
_TOKEN = re.compile(rf"[{_IDEOGRAPHS}]|[^\W{_IDEOGRAPHS}]+(?:'[^\W{_IDEOGRAPHS}]+)*|[^\w\s]")


def cased(text: str) -> str:
    """Normalise a text: one Unicode form, limited length, without unpaired surrogates."""
    text = text[:READ]
    return normalise(text if text.isascii() else text.encode(errors="replace").decode())


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
    parts = [part for word in tokens for part in parts_of(word)]
    return list(dict.fromkeys([*tokens, *pairs, *parts]))


def parts_of(word: str) -> list[str]:
    """The parts of a word, of a mark none.

    >>> parts_of("bad")
    ['~<ba', '~bad', '~ad>', '~<bad', '~bad>', '~<bad>']
    """
    if not word[0].isalnum():
        return []
    inside = f"<{word}>"
    return [f"{PART}{inside[i : i + n]}" for n in LETTERS for i in range(len(inside) - n + 1)]


def _is_part(name: str) -> bool:
    return len(name) > 1 and name[0] == PART and name[1] != " "


class FeatureSet:
    """The vocabulary of features seen in training, numbered from 1, most frequent first.

    Words and pairs that stand in one text only count too: half of all words are such, each tells little, together they
    tell whether a text is like others of its label (on film reviews two points of F1).

    >>> known = FeatureSet.learn(["good", "good", "bad"], most=100)
    >>> known.names[1], "bad" in known.names, "~bad" in known.names  # a part that stands in one text only is not kept
    ('good', True, False)
    >>> known.encode("good").shape, sorted(known.encode("good")[known.encode("good") > 0].tolist())[:4]
    ((1, 16), [1, 2, 3, 4])
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.index = {name: i for i, name in enumerate(names, start=1)}
        self._words: dict[str, Ints] = {}

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
        ids = self._ids(words(text))
        rows = np.zeros((max(1, -(-len(ids) // ROW)), ROW), np.int32)
        rows.flat[: len(ids)] = ids
        return rows

    def several(self, texts: Sequence[str]) -> list[Ints]:
        """As `encode`, of several texts; of many the features of each stand in order of their ids."""
        if len(texts) < MANY:
            return [self.encode(text) for text in texts]
        known, index, parts, pairs, counts = self._words, self.index, list[Ints](), list[int](), list[int]()
        for text in texts:
            tokens = words(text)
            parts += [known[word] if word in known else self._word(word) for word in tokens]
            pairs += [index.get(f"{a} {b}", 0) for a, b in pairwise(["\n", *tokens, "\n"])]
            counts.append(len(tokens))
        alone = np.array(counts)
        number, size = np.arange(len(texts)), len(self.names) + 1
        lengths = np.fromiter(map(len, parts), np.int64, len(parts))
        owners = np.concatenate([np.repeat(np.repeat(number, alone), lengths), np.repeat(number, alone + 1)])
        # As one number for text and feature they are told apart by sorting, which numpy does faster than Python counts.
        keys = np.sort(owners * size + np.concatenate([*parts, np.array(pairs, np.int32)]))
        keys = keys[(np.diff(keys, prepend=-1) > 0) & (keys % size > 0)]
        owners, ids = np.divmod(keys, size)
        each = np.bincount(owners, minlength=len(texts))
        rows = np.maximum(1, -(-each // ROW))
        ends = np.cumsum(rows)
        table = np.zeros((int(ends[-1]), ROW), np.int32)
        table.reshape(-1)[np.arange(len(ids)) + (ROW * (ends - rows) - (np.cumsum(each) - each))[owners]] = ids
        return [table[last - count : last] for last, count in zip(ends.tolist(), rows.tolist(), strict=True)]

    def _ids(self, tokens: Sequence[str]) -> list[int]:
        """The ids of the features of these tokens, each once."""
        known, index = self._words, self.index
        ids = [index.get(f"{a} {b}", 0) for a, b in pairwise(["\n", *tokens, "\n"])]
        for word in tokens:
            ids += (known[word] if word in known else self._word(word)).tolist()
        found = dict.fromkeys(ids)
        found.pop(0, None)
        return list(found)

    def _word(self, word: str) -> Ints:
        """The ids of a word and of its parts, as far as they are known; kept, since most words come again."""
        index = self.index
        ids = np.array([index[name] for name in (word, *parts_of(word)) if name in index], np.int32)
        if len(word) <= LONGEST:
            if len(self._words) >= KEPT:
                self._words.clear()
            self._words[word] = ids
        return ids
