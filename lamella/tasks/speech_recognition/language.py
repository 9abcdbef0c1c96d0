"""What people say in this place: words and letters with their n-grams, and lists of words that alone may be said.

    language = Language.learn(texts, letters)
    scorer = Fused(language, letters, weight=0.8, bonus=1.0)        for lamella.decode.ctc.prefix_beam

A word is as likely as it is after the two words before it; of a word that was never read, the letters decide. So everything can
be written, and what is usual is preferred.
"""

import json
import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from lamella.decode.ctc import NEVER
from lamella.decode.ngrams import NGrams
from lamella.errors import ModelError
from lamella.storage.tensors import read_tensors, write_tensors

LETTERS, WORDS = 6, 3  # orders of the n-grams
END = 0  # of a sentence, among the words
LEAST = 1e-12  # a probability of 0 would have no logarithm


class Language:
    """N-grams of letters and of words."""

    def __init__(self, letters: NGrams, words: NGrams, vocabulary: Sequence[str]) -> None:
        """vocabulary: the words in the order of their ids, the first having 1."""
        self.letters, self.words, self.vocabulary = letters, words, list(vocabulary)
        self.ids = {word: i for i, word in enumerate(self.vocabulary, start=1)}

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

    def to_bytes(self) -> bytes:
        """The file in the model folder."""
        words = np.frombuffer(json.dumps(self.vocabulary, ensure_ascii=False).encode(), np.uint8)
        return write_tensors({**self.letters.arrays("letters "), **self.words.arrays("words "), "vocabulary": words})

    @classmethod
    def from_bytes(cls, raw: bytes, letters: int) -> "Language":
        """From what `to_bytes` gave, for so many letters; ModelError where it is damaged."""
        tensors = read_tensors(raw, "language.model")
        try:
            vocabulary = json.loads(tensors["vocabulary"].tobytes())
            if not isinstance(vocabulary, list) or not all(isinstance(word, str) for word in vocabulary):
                raise ValueError("its words are no texts")
            return cls(
                NGrams.of_arrays(tensors, "letters ", letters + 1),
                NGrams.of_arrays(tensors, "words ", len(vocabulary) + 1),
                vocabulary,
            )
        except (KeyError, ValueError, RecursionError) as error:
            raise ModelError(
                f"language.model: expected a language model, and {error}. Do not use this model."
            ) from error


class State(NamedTuple):
    """Where in a text a scorer is."""

    history: tuple[int, ...]  # the last letters
    word: str  # that is being spelled
    spelled: float  # log-probability of its letters so far
    before: tuple[int, ...]  # the last words; one that is not known is len(vocabulary) + 1


class Fused:
    """Log-probabilities of the language times a weight, and a bonus for each word: shallow fusion (Gulcehre et al., 2015)."""

    def __init__(self, languages: Sequence[Language], letters: Sequence[str], weight: float, bonus: float) -> None:
        """languages: their probabilities are averaged."""
        self.languages, self.letters, self.weight, self.bonus = languages, letters, weight, bonus
        self.space = letters.index(" ") + 1 if " " in letters else 0
        self._letter: dict[tuple[int, ...], list[float]] = {}

    def start(self) -> State:
        return State((self.space,), "", 0.0, (END,))

    def step(self, state: State, letter: int) -> tuple[float, State]:
        if letter == self.space:
            return self._word(state) if state.word else (NEVER, state)  # no two spaces in a row
        gained = self._likely(state.history)[letter]
        after = State(
            (*state.history, letter)[-LETTERS:],
            state.word + self.letters[letter - 1],
            state.spelled + gained,
            state.before,
        )
        return self.weight * gained, after

    def finish(self, state: State) -> float:
        gained, after = self._word(state) if state.word else (0.0, state)
        ends = [self._after(language, after.before, END, 1e-4) for language in self.languages]
        return gained + self.weight * math.log(max(LEAST, sum(ends) / len(ends)))

    def _likely(self, history: tuple[int, ...]) -> list[float]:
        """The log-probability of each letter."""
        if history not in self._letter:
            mixed = sum(language.letters.distribution(history) for language in self.languages)
            self._letter[history] = np.log(np.maximum(LEAST, np.asarray(mixed) / len(self.languages))).tolist()
        return self._letter[history]

    def _word(self, state: State) -> tuple[float, State]:
        """The word is whole: what its letters gave is taken back, and what it gives as a word is put in its place."""
        spelled = state.spelled + self._likely(state.history)[self.space]
        likely = [self._known(language, state, math.exp(max(-600.0, spelled))) for language in self.languages]
        gained = math.log(max(1e-260, sum(likely) / len(likely)))
        ids = self.languages[0].ids
        before = (*state.before, ids.get(state.word, len(ids) + 1))[-WORDS + 1 :]
        after = State((*state.history, self.space)[-LETTERS:], "", 0.0, before)
        return self.weight * (gained - state.spelled) + self.bonus, after

    def _known(self, language: Language, state: State, spelled: float) -> float:
        word = language.ids.get(state.word)
        before = state.before
        if language is not self.languages[0]:  # the words have other numbers there
            names = self.languages[0].vocabulary
            before = tuple(
                END if i == END else language.ids.get(names[i - 1], -1) if i <= len(names) else -1 for i in before
            )
        return self._after(language, before, len(language.ids) + 1 if word is None else word, spelled)

    @staticmethod
    def _after(language: Language, before: tuple[int, ...], word: int, base: float) -> float:
        """The probability of a word; a history with a word that is not known is cut there."""
        known: tuple[int, ...] = ()
        for one in before:
            known = (*known, one) if 0 <= one <= len(language.ids) else ()
        if word > len(language.ids):  # only what is left over for new words
            return language.words.left_over(known) * base
        return language.words.probability(known, word, base)


class Closed:
    """Only these words, all equally likely: a grammar of commands."""

    def __init__(self, words: Sequence[str], letters: Sequence[str], bonus: float = 0.0) -> None:
        self.space = letters.index(" ") + 1 if " " in letters else 0
        self.whole = set(words)
        self.begun = {word[:n] for word in words for n in range(len(word) + 1)}
        self.letters, self.cost = letters, bonus - math.log(max(1, len(self.whole)))

    def start(self) -> str:
        return ""

    def step(self, state: str, letter: int) -> tuple[float, str]:
        if letter == self.space:
            return (self.cost, "") if state in self.whole else (NEVER, state)
        longer = state + self.letters[letter - 1]
        return (0.0, longer) if longer in self.begun else (NEVER, longer)

    def finish(self, state: str) -> float:
        if not state:
            return 0.0
        return self.cost if state in self.whole else NEVER
