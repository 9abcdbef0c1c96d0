"""From letters' probabilities to words with times: the search, how sure it is, and what both learn after training."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.mel import STEP
from lamella.decode import ctc
from lamella.errors import ModelError, UsageError
from lamella.metrics.speech import distance
from lamella.task import Answer, Example, Focus, Run
from lamella.tasks.speech_recognition import language
from lamella.tasks.speech_recognition.language import Closed, Fused, Language
from lamella.tasks.speech_recognition.spelling import normalise, read_texts

if TYPE_CHECKING:
    from lamella.tasks.speech_recognition import SpeechRecognition

Floats = NDArray[np.float64]
STEP_OF_NET = 4 * STEP  # seconds; each has one row of scores or more
WEIGHTS, BONUSES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.3, 1.7), (-2.0, -1.2, -0.5, 0.0, 0.7, 1.5, 2.5)
TRIED_BEAMS, TRIED_SECONDS = 20, 240  # of the search for these, of sound
LEAST = -4.6  # 1%: a letter that is not heard is not heard, whatever else is
PAUSE, QUIET = 0.4, math.log(0.9)  # seconds, and how likely it is in each row of them that there is no letter
MARGIN = 0.05  # seconds around a word in which its letters are looked for


class Search:
    """How a task's options and what it has learned turn the probabilities of letters into an answer."""

    def __init__(
        self, task: "SpeechRecognition", weight: float | None = None, bonus: float | None = None, most: int = 256
    ) -> None:
        """weight, bonus: in the place of those that were learned. most: beams."""
        c = task.config
        self.letters, self.beams, self.sure = task.letters_, min(most, c.beams), task.sure_
        self.seconds = STEP_OF_NET / task.rows_  # of a row
        self.space = self.letters.index(" ") + 1
        weight = (task.weight_ if c.lm_weight < 0 else c.lm_weight) if weight is None else weight
        bonus = task.bonus_ if bonus is None else bonus
        self.closed = allowed(c.words, self.letters) if c.words else []
        self.scorer: ctc.Scorer = ctc.Anything()
        if self.closed:
            self.scorer = Closed(self.closed, self.letters)
        elif c.beams > 1 and (weight or bonus):
            found, parts = languages(task)
            self.scorer = Fused(found, self.letters, weight, bonus, parts)

    def answer(self, likely: Floats) -> Answer:
        """Log-probabilities (T, V) of one sound -> its answer."""
        likely = paused(likely, self.space, round(PAUSE / self.seconds))
        if self.beams == 1 and not self.closed:
            best, spans = ctc.heard(likely)
        else:
            texts = [pair for pair in ctc.prefix_beam(likely, self.scorer, self.beams) if pair[1] > ctc.NEVER / 2]
            best = texts[0][0] if texts else ()
            spans = ctc.align(likely, best) if best else []
        words = self._words(likely, best, spans)
        sure = float(np.mean([word["confidence"] for word in words])) if words else 0.0
        text = " ".join(word["word"] for word in words)
        return {"text": text, "words": words, "confidence": round(sure, 4), "reason": ""}

    def _words(self, likely: Floats, letters: Sequence[int], spans: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        words: list[dict[str, Any]] = []
        now: list[tuple[int, tuple[int, int]]] = []
        for letter, span in [*zip(letters, spans, strict=False), (self.space, (0, 0))]:
            if letter != self.space:
                now.append((letter, span))
            elif now:
                words.append(self._word(likely, now))
                now = []
        return words

    def _word(self, likely: Floats, spelled: Sequence[tuple[int, tuple[int, int]]]) -> dict[str, Any]:
        """A word, from the beginning of its first letter to the end of its last one."""
        # CTC says a letter once, when it has heard it: the likeliest step of each is the one that counts.
        best = [float(likely[first : last + 1, letter].max()) for letter, (first, last) in spelled]
        mean = min(-1e-9, sum(best) / len(best))
        odds = mean - math.log(-math.expm1(mean))
        slope, offset = self.sure
        begin, end = spelled[0][1][0] * self.seconds - STEP_OF_NET, (spelled[-1][1][1] + 1) * self.seconds + STEP_OF_NET
        return {
            "word": "".join(self.letters[letter - 1] for letter, _ in spelled),
            "start": round(max(0.0, begin), 2),
            "end": round(min(len(likely) * self.seconds, end), 2),
            "confidence": round(1 / (1 + math.exp(-max(-30.0, min(30.0, slope * odds + offset)))), 4),
        }


def paused(likely: Floats, space: int, rows: int) -> Floats:
    """Log-probabilities (T, V) with a space in the middle of each pause: where for so many rows no letter is heard, before the last
    and after the first one, a word has ended, also for a net to whose training sentences no pause belonged.

    >>> heard = np.log(np.array([[0.02, 0.97, 0.01]] + [[0.98, 0.01, 0.01]] * 11 + [[0.01, 0.98, 0.01]]))
    >>> paused(heard, space=2, rows=10).argmax(axis=1).tolist()
    [1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1]
    """
    quiet = np.zeros(len(likely) + 2, bool)  # with one row before the first and one behind the last that are not
    np.greater(likely[:, 0], QUIET, out=quiet[1:-1])
    edges = np.flatnonzero(quiet[1:] != quiet[:-1])
    found = likely
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if last - first >= rows and first > 0 and last < len(likely):
            found = found.copy() if found is likely else found
            found[(first + last) // 2, [0, space]] = np.log([0.4, 0.6])
    return found


def languages(task: "SpeechRecognition") -> tuple[list[Language], list[float]]:
    """The language models that were trained with the share of each, and one of the text that the user gives besides, which counts
    as much as they together; each is opened once."""
    known = vars(task).setdefault("_languages", {})
    if task.language_ not in known:
        known[task.language_] = language.from_bytes(task.language_, len(task.letters_))
    found, parts = list(known[task.language_]), list(task.shares_)
    if len(parts) != len(found) or min(parts) < 0 or not 0.99 < sum(parts) < 1.01:
        raise ModelError(
            f"expected the shares of {len(found)} language models, received {parts}. Do not use this model."
        )
    if task.config.lm:
        if task.config.lm not in known:
            known[task.config.lm] = Language.learn(read_texts(task.config.lm), task.letters_)
        found, parts = [*found, known[task.config.lm]], [*(part / 2 for part in parts), 0.5]
    return found, parts


def allowed(words: str, letters: Sequence[str]) -> list[str]:
    """The words of a closed grammar; UsageError where one cannot be written.

    >>> allowed("yes, No", list(" enosy"))
    ['yes', 'no']
    """
    found = [word for part in words.split(",") for word in normalise(part).split()]
    if not found:
        raise UsageError(f"--words {words[:60]}: expected words with commas between, such as yes,no,stop.")
    for word in found:
        if unknown := sorted(set(word) - set(letters)):
            raise UsageError(
                f"--words: {word[:60]!r} has the letter {unknown[0]!r}, which this model never learned. It knows "
                f"{''.join(letters).strip()[:100]}."
            )
    return list(dict.fromkeys(found))


def append(answer: Answer, heard: Answer, start: float) -> None:
    """Put the answer to a piece, which begins at so many seconds, behind those before it."""
    if not heard["words"]:
        return
    moved = [
        {**word, "start": round(word["start"] + start, 2), "end": round(word["end"] + start, 2)}
        for word in heard["words"]
    ]
    words = [*answer["words"], *moved]
    answer["words"] = words
    answer["text"] = " ".join(word["word"] for word in words)
    answer["confidence"] = round(sum(word["confidence"] for word in words) / len(words), 4)
    answer["reason"] = ""


# ---- learned after training --------------------------------------------------------------------------------------------


def calibrate(task: "SpeechRecognition", examples: Sequence[Example], run: Run) -> None:
    """Set weight_, bonus_ and sure_: one after another, where the fewest words are wrong."""
    heard = emissions(task, examples, run)
    wanted = [normalise(e["text"]).split() for e in examples[: len(heard)]]
    if not any(wanted):
        return
    task.shares_ = language.shares(languages(task)[0], task.letters_, (normalise(e["text"]) for e in examples))

    def errors(weight: float, bonus: float) -> float:
        search = Search(task, weight, bonus, TRIED_BEAMS)
        answers = [search.answer(likely)["text"].split() for likely in heard]
        letters = sum(distance(" ".join(a), " ".join(w)) for a, w in zip(answers, wanted, strict=True))
        # Letters too, since there are more of them; and where a word or two decide, what serves most.
        return sum(map(distance, answers, wanted)) + 0.2 * letters + abs(weight - 0.5) + 0.2 * abs(bonus)

    task.weight_ = min(WEIGHTS, key=lambda weight: errors(weight, 0.7 if weight else 0.0))
    if task.weight_:
        task.bonus_ = min(BONUSES, key=lambda bonus: errors(task.weight_, bonus))
    search = Search(task, most=TRIED_BEAMS)
    task.sure_ = _platt([search.answer(likely) for likely in heard], wanted)


def emissions(task: "SpeechRecognition", examples: Sequence[Example], run: Run) -> list[Floats]:
    """The probabilities of the letters of the first sounds, some minutes in all."""
    kept: list[Floats] = []

    def keep(graphs: Any, inputs: Any) -> list[Any]:
        return task._likely(graphs, inputs)

    vars(task)["decode"] = keep
    try:
        rows = 0
        for example in examples:
            [likely] = run([example])
            kept.append(likely)
            rows += len(likely)
            if rows * STEP_OF_NET / task.rows_ > TRIED_SECONDS:
                break
    finally:
        del vars(task)["decode"]
    return kept


def _platt(answers: Sequence[Answer], wanted: Sequence[Sequence[str]]) -> list[float]:
    """Slope and offset that make of a word's confidence how often such words are right (Platt, 1999)."""
    odds, right = [], []
    for answer, text in zip(answers, wanted, strict=True):
        same = matched([word["word"] for word in answer["words"]], text)
        odds += [math.log(c / (1 - c)) for c in (min(max(w["confidence"], 1e-6), 1 - 1e-6) for w in answer["words"])]
        right += same
    if len(odds) < 10:
        return [1.0, 0.0]
    x = np.stack([odds, np.ones(len(odds))], axis=1)
    # As if two more words had been right and two wrong: of few that are all right none is certain.
    y = (np.array(right, float) * len(right) + 1) / (len(right) + 2)
    weights = np.array([0.5, 0.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + 0.1 * np.eye(2)
        weights = weights + np.linalg.solve(hessian, x.T @ (y - p) - 0.1 * (weights - [0.5, 0.0]))
    return [round(float(max(0.05, weights[0])), 4), round(float(weights[1]), 4)]


def matched(words: Sequence[str], wanted: Sequence[str]) -> list[bool]:
    """Which words stand in what was wanted, in order.

    >>> matched(["a", "cat", "sat"], ["the", "cat", "sat"])
    [False, True, True]
    """
    from difflib import SequenceMatcher

    same = [False] * len(words)
    for block in SequenceMatcher(None, list(words), list(wanted), False).get_matching_blocks():
        for i in range(block.a, block.a + block.size):
            same[i] = True
    return same


# ---- explained ---------------------------------------------------------------------------------------------------------


def focus(heard: Sequence[Floats], answer: Answer, letters: Sequence[str], rows: int) -> Focus:
    """For each word the log-probability of its letters where it was heard; without words how sure the silence is."""
    if not answer["words"]:
        return Focus("log-probability that nothing is said", np.array([likely[:, 0].sum() for likely in heard]))
    place = {letter: i for i, letter in enumerate(letters, start=1)}
    seconds, found = STEP_OF_NET / rows, []
    for likely in heard:
        row = []
        for word in answer["words"]:
            first = max(0, min(len(likely) - 1, round((word["start"] - MARGIN) / seconds)))
            last = max(first + 1, round((word["end"] + MARGIN) / seconds))
            part = likely[first:last]
            row.append(sum(max(LEAST, float(part[:, place[letter]].max())) for letter in word["word"]))
        found.append(row)
    names = [f"{word['word']} at {word['start']:g} s" for word in answer["words"]]
    return Focus("log-probability of the words where they are heard", np.array(found), names)
