"""What people say in this place: words and letters with their n-grams, and lists of words that alone may be said.

    languages = [Language.learn(transcripts, letters), Language.learn(text, letters)]
    scorer = Fused(languages, letters, weight=0.8, bonus=1.0, shares=[0.3, 0.7])        for lamella.decode.ctc.prefix_beam

A word is as likely as it is after the two words before it; of a word that was never read, the letters decide. So everything can
be written, and what is usual is preferred. A few transcripts would be lost among the counts of a long text, so each has its own
and their probabilities are mixed (linear interpolation, Jelinek and Mercer, 1980).
"""

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lamella.decode.ctc import NEVER
from lamella.decode.ngrams import NGrams
from lamella.errors import ModelError
from lamella.storage.tensors import read_tensors, write_tensors

LETTERS, WORDS = 6, 3  # orders of the n-grams
END = 0  # of a sentence, among the words
BEGIN = ""  # of a sentence, among the words before one
LEAST = 1e-12  # a probability of 0 would have no logarithm


class Language:
    """N-grams of letters and of words."""

    def __init__(self, letters: NGrams, words: NGrams, vocabulary: Sequence[str]) -> None:
        """vocabulary: the words in the order of their ids, the first having 1."""
        self.letters, self.words, self.vocabulary = letters, words, list(vocabulary)
        self.ids = dict(zip(self.vocabulary, range(1, len(self.vocabulary) + 1), strict=True))

    @classmethod
    def learn(cls, texts: Iterable[str], letters: Sequence[str]) -> "Language":
        """Texts, normalised, over these letters (the space among them); words with other letters are cut out."""
        known = set(letters)
        lines = [[word for word in text.split() if known.issuperset(word)] for text in texts]
        lines = [words for words in lines if words]
        vocabulary = sorted({word for words in lines for word in words})
        ids = {word: i for i, word in enumerate(vocabulary, start=1)}
        place = {letter: i for i, letter in enumerate(letters, start=1)}
        spelled = [np.array([place[c] for c in f" {' '.join(words)} "]) for words in lines]
        said = [np.array([END, *(ids[word] for word in words), END]) for words in lines]
        return cls(
            NGrams.learn(spelled, len(letters) + 1, LETTERS), NGrams.learn(said, len(vocabulary) + 1, WORDS), vocabulary
        )

    def _tensors(self, place: str) -> dict[str, NDArray[Any]]:
        words = np.frombuffer(json.dumps(self.vocabulary, ensure_ascii=False).encode(), np.uint8)
        arrays: dict[str, NDArray[Any]] = {
            **self.letters.arrays("letters "),
            **self.words.arrays("words "),
            "vocabulary": words,
        }
        return {place + name: array for name, array in arrays.items()}


def to_bytes(languages: Sequence[Language]) -> bytes:
    """The file in the model folder."""
    tensors: dict[str, NDArray[Any]] = {}
    for at, language in enumerate(languages):
        tensors |= language._tensors(f"{at} " if at else "")
    # The widest numbers first, so that all lie at multiples of their size and need not be copied when the file is read.
    return write_tensors(dict(sorted(tensors.items(), key=lambda pair: -pair[1].itemsize)))


def from_bytes(raw: bytes, letters: int) -> list[Language]:
    """From what `to_bytes` gave, for so many letters; ModelError where it is damaged."""
    tensors = read_tensors(raw, "language.model")
    found: list[Language] = []
    try:
        while not found or f"{len(found)} vocabulary" in tensors:
            place = f"{len(found)} " if found else ""
            vocabulary = json.loads(tensors[f"{place}vocabulary"].tobytes())
            if not isinstance(vocabulary, list) or not {*map(type, vocabulary)} <= {str}:
                raise ValueError("its words are no texts")
            found.append(
                Language(
                    NGrams.of_arrays(tensors, f"{place}letters ", letters + 1),
                    NGrams.of_arrays(tensors, f"{place}words ", len(vocabulary) + 1),
                    vocabulary,
                )
            )
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"language.model: expected a language model, and {error}. Do not use this model.") from error
    return found


class State(NamedTuple):
    """Where in a text a scorer is."""

    history: tuple[int, ...]  # the last letters
    word: str  # that is being spelled
    spelled: float  # log-probability of its letters so far
    before: tuple[str, ...]  # the last words; BEGIN before the first
    likely: list[float]  # log-probability of each letter now


class Fused:
    """Log-probabilities of the language times a weight, and a bonus for each word: shallow fusion (Gulcehre et al., 2015)."""

    def __init__(
        self,
        languages: Sequence[Language],
        letters: Sequence[str],
        weight: float,
        bonus: float,
        shares: Sequence[float] = (),
    ) -> None:
        """shares: of each language in the mixture, 1 in all; without them all count alike."""
        self.languages, self.letters, self.weight, self.bonus = languages, letters, weight, bonus
        self.shares = list(shares) or [1 / len(languages)] * len(languages)
        self.space = letters.index(" ") + 1 if " " in letters else 0
        self._letter: dict[tuple[int, ...], list[float]] = {}

    def start(self) -> State:
        return State((self.space,), "", 0.0, (BEGIN,), self._likely((self.space,)))

    def gain(self, state: State, letter: int) -> float:
        if letter == self.space:
            return self._word(state) if state.word else NEVER  # no two spaces in a row
        return self.weight * state.likely[letter]

    def after(self, state: State, letter: int) -> State:
        history = (*state.history, letter)[-LETTERS:]
        likely = self._likely(history)
        if letter == self.space:
            before = (*state.before, state.word)[-WORDS + 1 :] if state.word else state.before
            return State(history, "", 0.0, before, likely)
        word, spelled = state.word + self.letters[letter - 1], state.spelled + state.likely[letter]
        return State(history, word, spelled, state.before, likely)

    def finish(self, state: State) -> float:
        gained = self._word(state) if state.word else 0.0
        ends = self._mixed(self.ends(self.after(state, self.space)))
        return gained + self.weight * math.log(max(LEAST, ends))

    def key(self, state: State) -> tuple[tuple[str, ...], str]:
        """Words before the last ones say nothing about what follows."""
        return state.before, state.word

    def words(self, state: State) -> list[float]:
        """How likely each language has the word that is spelled now, with its end.

        A word that one of them has read is said by that one; one that none has read is as likely as where it is least likely: the language
        that has read least leaves most to new words, and such are mostly misheard.
        """
        spelled = math.exp(max(-600.0, state.spelled + state.likely[self.space]))
        places = [language.ids.get(state.word) for language in self.languages]
        likely = [
            _after(language, state.before, len(language.ids) + 1 if at is None else at, spelled)
            for language, at in zip(self.languages, places, strict=True)
        ]
        if all(at is None for at in places):
            return [min(likely)] * len(likely)
        return [0.0 if at is None else one for one, at in zip(likely, places, strict=True)]

    def ends(self, state: State) -> list[float]:
        """How likely each language has the sentence end here."""
        return [_after(language, state.before, END, 1e-4) for language in self.languages]

    def _mixed(self, likely: Sequence[float]) -> float:
        return sum(share * one for share, one in zip(self.shares, likely, strict=True))

    def _likely(self, history: tuple[int, ...]) -> list[float]:
        """The log-probability of each letter."""
        if history not in self._letter:
            mixed = sum(
                share * language.letters.distribution(history)
                for share, language in zip(self.shares, self.languages, strict=True)
            )
            self._letter[history] = np.log(np.maximum(LEAST, np.asarray(mixed))).tolist()
        return self._letter[history]

    def _word(self, state: State) -> float:
        """The word is whole: what its letters gave is taken back, and what it gives as a word is put in its place."""
        gained = math.log(max(1e-260, self._mixed(self.words(state))))
        return self.weight * (gained - state.spelled) + self.bonus


def _after(language: Language, before: Sequence[str], word: int, base: float) -> float:
    """The probability of a word; a history with a word that is not known is cut there."""
    known: tuple[int, ...] = ()
    for one in before:
        at = END if one == BEGIN else language.ids.get(one)
        known = () if at is None else (*known, at)
    if word > len(language.ids):  # only what is left over for new words
        return language.words.left_over(known) * base
    return language.words.probability(known, word, base)


def shares(languages: Sequence[Language], letters: Sequence[str], texts: Iterable[str]) -> list[float]:
    """The share of each language with which these texts, of which none has learned, are likeliest; 1 in all.

    Expectation and maximisation (Dempster et al., 1977): each word counts for a language as much as it is to be expected there.

    >>> letters = list(" abc")
    >>> few, many = Language.learn(["a b", "b a"], letters), Language.learn(["c", "c c", "c c c"], letters)
    >>> [round(share, 1) for share in shares([few, many], letters, ["a b a", "b", "a a", "c"])]
    [0.9, 0.1]
    """
    if len(languages) == 1:
        return [1.0]
    scorer = Fused(languages, letters, 1.0, 0.0)
    place = {letter: i for i, letter in enumerate(letters, start=1)}
    rows: list[list[float]] = []
    for text in texts:
        state = scorer.start()
        for letter in f"{text} ":
            if letter == " " and state.word:
                rows.append(scorer.words(state))
            state = scorer.after(state, place[letter])
        rows.append(scorer.ends(state))
    found = np.full(len(languages), 1 / len(languages))
    likely = np.maximum(np.array(rows).reshape(-1, len(languages)), 1e-300)
    for _ in range(50 if len(likely) else 0):
        parts = likely * found
        found = (parts / parts.sum(axis=1, keepdims=True)).mean(axis=0)
    return [float(share) for share in found]


class Closed:
    """Only these words, all equally likely: a grammar of commands."""

    def __init__(self, words: Sequence[str], letters: Sequence[str], bonus: float = 0.0) -> None:
        self.space = letters.index(" ") + 1 if " " in letters else 0
        self.whole = set(words)
        self.begun = {word[:n] for word in words for n in range(len(word) + 1)}
        self.letters, self.cost = letters, bonus - math.log(max(1, len(self.whole)))

    def start(self) -> str:
        return ""

    def gain(self, state: str, letter: int) -> float:
        if letter == self.space:
            return self.cost if state in self.whole else NEVER
        return 0.0 if self.after(state, letter) in self.begun else NEVER

    def after(self, state: str, letter: int) -> str:
        return "" if letter == self.space else state + self.letters[letter - 1]

    def key(self, state: str) -> None:
        return None

    def finish(self, state: str) -> float:
        if not state:
            return 0.0
        return self.cost if state in self.whole else NEVER
