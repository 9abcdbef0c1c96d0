"""Greedy and beam search over toy nets whose every answer can be listed."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from lamella.decode.search import Hypothesis, beam, greedy

START, END = 2, 3
WORDS = (5, 6, 7)
SEEDS = range(8)

Rule = Callable[[int, tuple[int, ...]], dict[int, float]]


class Toy:
    """A step whose state is the whole prefix, so that a state given to the wrong hypothesis changes its scores."""

    def __init__(self, rule: Rule, candidates: int = 16) -> None:
        self.rule, self.candidates = rule, candidates
        self.rows: list[int] = []  # how many sentences each call was about

    def __call__(self, token, state, memory):
        prefix = np.concatenate([state["prefix"], token[:, :, None]], axis=2)
        self.rows.append(len(token))
        scores, tokens = [], []
        for sentence, beams in zip(memory["sentence"], prefix, strict=True):
            for one in beams:
                assert one[0] == START
                best = sorted(self.rule(int(sentence[0]), tuple(one[1:].tolist())).items(), key=lambda item: -item[1])
                tokens.append([token for token, _ in best[: self.candidates]])
                scores.append([score for _, score in best[: self.candidates]])
        shape = (*token.shape, -1)
        return {
            "scores": np.array(scores, np.float32).reshape(shape),
            "tokens": np.array(tokens).reshape(shape),
            "prefix": prefix,
            "attention": np.zeros(token.shape),
        }

    def search(self, sentences, limits, beams=None, **options):
        """For each sentence its hypotheses: of a beam search, or the one of greedy search."""
        state = {"prefix": np.zeros((len(sentences), 1, 0), np.int64)}
        memory = {"sentence": np.array(sentences)[:, None]}
        limits = np.broadcast_to(np.array(limits), len(sentences))
        if beams is None:
            return [[one] for one in greedy(self, state, memory, START, END, limits)]
        return beam(self, state, memory, START, END, limits, beams, **options)

    def score(self, sentence, tokens, ended):
        """The sum of log-probabilities of an answer: with its end, or with the likeliest token where it was cut."""
        total = sum(self.rule(sentence, tuple(tokens[:i]))[token] for i, token in enumerate(tokens))
        last = self.rule(sentence, tuple(tokens))
        return total + (last[END] if ended else max(last.values()))


def table(seed: int, words=WORDS, sharpness=1.5) -> Toy:
    """Random log-probabilities, for each sentence and each prefix others."""

    def rule(sentence, prefix):
        chance = np.random.default_rng((seed, sentence, *prefix))
        logits = chance.normal(0, sharpness, len(words) + 1)
        return dict(zip((*words, END), logits - np.log(np.exp(logits).sum()), strict=True))

    return Toy(rule)


def listed(toy: Toy, sentence: int, limit: int) -> list[Hypothesis]:
    """Every answer that can be: those that end, and those of full length that are cut."""
    found = []
    for length in range(limit + 1):
        for tokens in map(list, itertools.product(WORDS, repeat=length)):
            found.append(Hypothesis(tokens, toy.score(sentence, tokens, True), True))
    for tokens in map(list, itertools.product(WORDS, repeat=limit)):
        last = toy.rule(sentence, tuple(tokens))
        before = toy.score(sentence, tokens, True) - last[END]
        found += [Hypothesis(tokens, before + last[word], False) for word in WORDS]
    return found


def plain(hypotheses):
    return [(h.tokens, round(h.score, 4), h.ended) for h in hypotheses]


@pytest.mark.parametrize("seed", SEEDS)
def test_greedy_is_beam_of_one(seed):
    toy, sentences, limits = table(seed), [0, 1, 2, 3, 4, 5], [6, 1, 9, 0, 4, 12]
    one = toy.search(sentences, limits)
    assert list(map(plain, one)) == list(map(plain, toy.search(sentences, limits, beams=1)))
    for sentence, limit, [found] in zip(sentences, limits, one, strict=True):
        # What greedy search is: the likeliest token after each prefix, until the end or the limit.
        tokens: list[int] = []
        while len(tokens) < limit:
            scores = toy.rule(sentence, tuple(tokens))
            best = max(scores, key=scores.__getitem__)
            if best == END:
                break
            tokens.append(best)
        assert found.tokens == tokens
        assert found.score == pytest.approx(toy.score(sentence, tokens, found.ended), abs=1e-4)


def test_greedy_says_whether_it_ended():
    rules = {0: [5, 6, END], 1: [5, 6, 7]}
    toy = Toy(lambda sentence, prefix: {t: 0.0 if t == rules[sentence][len(prefix)] else -9.0 for t in (*WORDS, END)})
    for beams in (None, 1, 3):
        ends, cut = toy.search([0, 1], [2, 2], beams=beams)
        assert plain(ends)[0] == ([5, 6], 0.0, True)
        assert plain(cut)[0] == ([5, 6], 0.0, False)


@pytest.mark.parametrize("power", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", SEEDS[:4])
def test_a_beam_as_wide_as_the_tree_finds_all(seed, power):
    toy, limit = table(seed), 3
    for sentence, found in zip([0, 1], toy.search([0, 1], limit, beams=4**4, power=power), strict=True):
        wanted = sorted(listed(toy, sentence, limit), key=lambda h: -h.mean(power))
        assert len(wanted) == 1 + 3 + 9 + 27 + 27 * 3
        assert [h.score for h in found] == pytest.approx([h.score for h in wanted], abs=1e-4)
        assert found[0].tokens == wanted[0].tokens
        assert sorted(h.tokens for h in found) == sorted(h.tokens for h in wanted)


def by_definition(toy: Toy, sentence: int, limit: int, beams: int, power: float) -> list[Hypothesis]:
    """Beam search as it is told, one prefix at a time: of all continuations, an end among the best K is an answer, and
    the best K that do not end go on; until K answers are found."""
    alive: list[tuple[float, list[int]]] = [(0.0, [])]
    found: list[Hypothesis] = []
    for length in range(limit + 1):
        scored = [
            (score + more, tokens, token)
            for score, tokens in alive
            for token, more in toy.rule(sentence, tuple(tokens)).items()
        ]
        scored.sort(key=lambda item: -item[0])
        cut = length == limit
        for score, tokens, token in scored[:beams]:
            if (token == END or cut) and len(found) < beams:
                found.append(Hypothesis(tokens, score, token == END))
        alive = [(score, [*tokens, token]) for score, tokens, token in scored if token != END][:beams]
        if cut or len(found) >= beams:
            break
    return sorted(found, key=lambda h: -h.mean(power))


@pytest.mark.parametrize("beams", [2, 3, 8])
@pytest.mark.parametrize("seed", range(20))
def test_beam_search_is_what_it_says(seed, beams):
    toy, limits = table(seed, words=(5, 6, 7, 8, 9)), [5, 2, 9]
    found = toy.search([0, 1, 2], limits, beams=beams, power=0.7)
    for sentence, limit in enumerate(limits):
        wanted = by_definition(toy, sentence, limit, beams, 0.7)
        assert [(h.tokens, h.ended) for h in found[sentence]] == [(h.tokens, h.ended) for h in wanted]
        assert [h.score for h in found[sentence]] == pytest.approx([h.score for h in wanted], abs=1e-4)


@pytest.mark.parametrize("beams", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", SEEDS)
def test_n_best(seed, beams):
    toy = table(seed)
    for sentence, found in enumerate(toy.search([0, 1, 2], 7, beams=beams, power=0.8)):
        assert 1 <= len(found) <= beams
        means = [h.score / (len(h.tokens) + 1) ** 0.8 for h in found]
        assert means == sorted(means, reverse=True)
        assert np.isfinite(means).all()
        for h in found:
            assert len(h.tokens) <= 7 and END not in h.tokens and START not in h.tokens
            if h.ended:
                assert h.score == pytest.approx(toy.score(sentence, h.tokens, True), abs=1e-4)
        ended = [tuple(h.tokens) for h in found if h.ended]
        assert len(set(ended)) == len(ended), "no answer twice"


def test_wider_is_better_on_average():
    means = {}
    for beams in (1, 3, 8):
        best = [table(seed).search([0], 6, beams=beams, power=0.0)[0] for seed in range(40)]
        means[beams] = np.mean([max(h.score for h in found) for found in best])
    assert means[1] < means[3] < means[8] + 1e-9


@pytest.mark.parametrize("beams", [None, 1, 4])
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sentence_does_not_depend_on_its_batch(seed, beams):
    toy, sentences, limits = table(seed), [4, 2, 9, 7, 5], [3, 12, 1, 8, 5]
    together = toy.search(sentences, limits, beams=beams)
    alone = [toy.search([s], [limit], beams=beams)[0] for s, limit in zip(sentences, limits, strict=True)]
    assert list(map(plain, together)) == list(map(plain, alone))


def test_what_is_finished_leaves_the_batch():
    toy = table(0)
    toy.search([0, 1, 2, 3], [1, 9, 2, 4], beams=2)
    assert toy.rows[0] == 4 and toy.rows[-1] < 4 and toy.rows == sorted(toy.rows, reverse=True)
    # A sentence of which all the beams have ended costs nothing more: here each ends after one word at the latest.
    toy = Toy(lambda sentence, prefix: {END: -0.1, 5: -2.5} if prefix else {END: -1.0, 5: -0.5})
    assert plain(toy.search([0], 50, beams=2)[0]) == [([5], -0.6, True), ([], -1.0, True)]
    assert len(toy.rows) == 2


@pytest.mark.parametrize("beams", [None, 1, 4])
def test_limits(beams):
    endless = Toy(lambda sentence, prefix: {5: -0.1, 6: -2.5, END: -50.0})
    for limit, found in zip([0, 1, 3, 7], endless.search([0, 1, 2, 3], [0, 1, 3, 7], beams=beams), strict=True):
        assert all(len(h.tokens) <= limit for h in found)
        assert found[0].tokens == [5] * limit and not found[0].ended
        assert found[0].score == pytest.approx(-0.1 * (limit + 1), abs=1e-5)


def test_length_normalisation():
    # Ending at once costs 1; each of four words costs 0.3, and then the end does.
    toy = Toy(lambda sentence, prefix: {END: -0.3 if len(prefix) == 4 else -1.0, 5: -0.3 if len(prefix) < 4 else -0.6})
    short, long = [], [5, 5, 5, 5]
    assert toy.search([0], 6, beams=6, power=0.0)[0][0].tokens == short  # -1 against -1.5
    assert toy.search([0], 6, beams=6, power=1.0)[0][0].tokens == long  # -1 / 1 against -1.5 / 5
    assert Hypothesis([5, 6, 7], -8.0, True).mean(0.0) == -8.0
    assert Hypothesis([5, 6, 7], -8.0, True).mean(0.5) == -4.0
    assert Hypothesis([5, 6, 7], -8.0, True).mean(1.0) == -2.0


@pytest.mark.parametrize("candidates", [1, 2])
def test_fewer_candidates_than_beams(candidates):
    toy = table(1, words=(5,), sharpness=0.3)
    toy.candidates = candidates
    for found in toy.search([0, 1, 2], 4, beams=4):
        assert found and all(np.isfinite(h.score) for h in found)
        ended = [tuple(h.tokens) for h in found if h.ended]
        assert len(set(ended)) == len(ended)
