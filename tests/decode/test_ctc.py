"""CTC against all paths written out, and torch's own loss; language models against their definition."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from lamella.decode import ctc
from lamella.decode.ngrams import NGrams
from lamella.tasks.speech_recognition.language import Closed, Fused, Language, from_bytes, to_bytes

LETTERS = [" ", "a", "b"]


def likely(steps: int, letters: int, seed: int = 0):
    return ctc.log_softmax(np.random.default_rng(seed).normal(0, 2, (steps, letters)))


def all_texts(scores) -> dict[tuple[int, ...], float]:
    """Every text's probability, by all paths."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        text = tuple(k for k, _ in itertools.groupby(path) if k)
        found[text] = found.get(text, 0.0) + float(np.exp(sum(scores[t, k] for t, k in enumerate(path))))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_beam_finds_what_all_paths_say(seed):
    scores = likely(5, 3, seed)
    every = all_texts(scores)
    for text, score in ctc.prefix_beam(scores, ctc.Anything(), beams=200)[:6]:
        assert score == pytest.approx(np.log(every[text]), abs=1e-3)  # rare letters are not tried
    best = max(every, key=lambda text: every[text])
    assert ctc.prefix_beam(scores, ctc.Anything(), beams=16)[0][0] == best


def test_a_score_of_the_beam_is_the_negative_of_the_loss():
    scores = ctc.log_softmax(np.random.default_rng(0).normal(0, 1, (6, 3)))
    for text, score in ctc.prefix_beam(scores, ctc.Anything(), beams=500)[:5]:
        wanted = F.ctc_loss(
            torch.tensor(scores)[:, None], torch.tensor([text], dtype=torch.long), [6], [len(text)], reduction="sum"
        )
        assert -score == pytest.approx(float(wanted), abs=1e-3)


def test_alignment_is_the_best_path():
    scores, letters = likely(6, 3, 2), (1, 1)
    paths = [
        p for p in itertools.product(range(3), repeat=6) if tuple(k for k, _ in itertools.groupby(p) if k) == letters
    ]
    best = max(paths, key=lambda p: sum(scores[t, k] for t, k in enumerate(p)))
    runs = [(k, [t for t, _ in g]) for k, g in itertools.groupby(enumerate(best), key=lambda pair: pair[1])]
    assert ctc.align(scores, letters) == [(steps[0], steps[-1]) for k, steps in runs if k]
    assert ctc.align(scores[:2], (1, 1, 2)) == [] and ctc.align(scores[:2], ()) == []


@pytest.mark.parametrize("seed", range(6))
def test_the_letters_of_each_steps_best_lie_where_they_were_heard(seed):
    scores = likely(30, 4, seed)
    letters = ctc.greedy(scores)
    assert ctc.align(scores, letters) == ctc._viterbi(scores, letters)
    assert ctc.align(scores, letters[1:]) == ctc._viterbi(scores, letters[1:])


def test_greedy_is_the_best_path_without_repetitions():
    scores = likely(40, 4)
    assert ctc.greedy(scores) == tuple(int(k) for k, _ in itertools.groupby(scores.argmax(axis=1)) if k)


def test_probabilities_of_a_language_add_up_to_one():
    rng = np.random.default_rng(1)
    model = NGrams.learn([rng.integers(0, 6, rng.integers(1, 30)) for _ in range(40)], symbols=6, order=4)
    for history in [(), (1,), (1, 2), (3, 3, 3), (5, 0, 2, 1)]:
        every = model.distribution(history)
        assert every.sum() == pytest.approx(1) and (every > 0).all()
        for symbol in range(6):
            assert model.probability(history, symbol, 1 / 6) == pytest.approx(every[symbol])


def test_kneser_ney_by_hand():
    # "a b a b a c": after a come b twice and c once; the discount of pairs is 1 / (1 + 2 * 2) = .2.
    model = NGrams.learn([np.array([1, 2, 1, 2, 1, 3])], symbols=4, order=2)
    pairs = {(1, 2): 2, (2, 1): 2, (1, 3): 1}
    assert dict(zip(map(int, model.keys[1]), map(int, model.counts[1]))) == {
        a << 2 | b: n for (a, b), n in pairs.items()
    }
    assert model.discounts[1] == pytest.approx(0.2)
    lower = model.distribution(())
    assert model.distribution((1,))[2] == pytest.approx((2 - 0.2) / 3 + 0.2 * 2 / 3 * lower[2])


def test_a_language_prefers_what_was_read_and_writes_the_rest():
    language = Language.learn(["ab a", "ab ab", "ab a"], LETTERS)
    [again] = from_bytes(to_bytes([language]), len(LETTERS))
    assert again.vocabulary == ["a", "ab"]
    # Of a file whose numbers lie anywhere they are laid out anew: a search in others copies them each time.
    for model in from_bytes(to_bytes([language, language]), len(LETTERS)):
        arrays = {
            name: np.frombuffer(b"." + array.tobytes(), np.uint8)[1:].view(array.dtype)
            for name, array in model.words.arrays("").items()
        }
        apart = NGrams.of_arrays(arrays, "", len(model.ids) + 1)
        assert all(keys.flags.aligned for keys in [*model.words.keys, *model.letters.keys, *apart.keys])
    scores = ctc.log_softmax(np.array([[0, 0, 5, 0], [2, 0, 0, 2.2], [3, 0, 0.5, 0.7]]))  # "ab" or "a"
    heard = {w: ctc.prefix_beam(scores, Fused([again], LETTERS, w, 0.0), 8)[0][0] for w in (0.0, 2.0)}
    assert heard[0.0] == (2, 3)
    clear = ctc.log_softmax(np.array([[0, 0, 0, 9], [9, 0, 0, 0], [0, 0, 0, 9]]))  # "bb" was never read
    assert ctc.prefix_beam(clear, Fused([again], LETTERS, 0.5, 0.0), 8)[0][0] == (3, 3)
    assert heard[2.0] in {(2,), (2, 3)}


def test_of_texts_with_the_same_last_words_the_best_is_gone_on_with():
    language = Language.learn(["a b a b", "b a b", "ab b"], LETTERS)
    scorer, asked = Fused([language], LETTERS, 0.5, 0.3), []

    class Counted(Fused):
        def after(self, state, letter):
            asked.append(letter)
            return super().after(state, letter)

    def said(text: str):
        state, total = scorer.start(), 0.0
        for letter in text:
            total += scorer.gain(state, LETTERS.index(letter) + 1)
            state = scorer.after(state, LETTERS.index(letter) + 1)
        return state, total + scorer.finish(state)

    assert scorer.key(said("a b ab b")[0]) == scorer.key(said("b b ab b")[0]) != scorer.key(said("b b a b")[0])
    scores = likely(60, len(LETTERS) + 1, 3)
    few = ctc.prefix_beam(scores, Counted([language], LETTERS, 0.5, 0.3), 8)
    assert len({scorer.key(said("".join(LETTERS[k - 1] for k in text))[0]) for text, _ in few}) == len(few)
    assert len(asked) < 60 * 16  # and not once for each letter of each of them
    assert few[0][1] >= ctc.prefix_beam(scores, scorer, 1)[0][1]


def test_a_closed_grammar_writes_its_words_alone():
    scores = likely(12, 4, 5)
    for text, score in ctc.prefix_beam(scores, Closed(["ab", "ba"], LETTERS), 64):
        words = "".join(LETTERS[k - 1] for k in text).split()
        assert score < ctc.NEVER / 2 or text == () or set(words) <= {"ab", "ba"}
