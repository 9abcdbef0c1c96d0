"""Fill in what is missing of a row of codes, many at once in each pass, in a random order (after Chang et al., 2022).

A net gives the log-probabilities of each code at each place, whichever are missing. Few places are filled in the first
passes, when little is known, and many in the last ones: a share of 1 - cos. Which ones is drawn at random and not by how
sure the net is, so that what is drawn has the probability that `log_likelihood` gives, and no kind is preferred.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from lamella.decode.steps import Array

Predict = Callable[[Array], Array]  # codes (B, T), -1 where one is missing -> log-probabilities (B, T, K)
MISSING = -1
GUESS = 4  # passes by which it is told how likely a label is, where the net does not say it itself
EXACT = 1e-3  # log-probabilities are rounded to this, so that two machines that add in another order draw the same


def schedule(count: int, passes: int) -> list[int]:
    """How many of `count` places are filled after each pass; each pass fills at least one, and the last is complete.

    >>> schedule(16, 4), schedule(3, 8)
    ([1, 5, 10, 16], [1, 2, 3])
    """
    passes = max(1, min(passes, count))
    done: list[int] = []
    for i in range(1, passes + 1):
        wanted = round(count * (1 - math.cos(math.pi / 2 * i / passes)))
        before = done[-1] if done else 0
        done.append(min(max(wanted, before + 1), count - (passes - i)))
    return done


def fill(
    predict: Predict, codes: Array, rngs: "Sequence[np.random.Generator]", passes: int = 12, temperature: float = 1.0
) -> Array:
    """Codes (B, T), -1 where one is missing -> whole ones, each row by its own generator.

    temperature divides the log-probabilities; 0: always the most likely code.
    """
    codes = codes.copy()
    orders = [rng.permutation(np.flatnonzero(row == MISSING)) for row, rng in zip(codes, rngs, strict=True)]
    done = [schedule(len(order), passes) for order in orders]
    for number in range(max(map(len, done))):
        rows = [i for i, plan in enumerate(done) if number < len(plan) and len(orders[i])]
        if not rows:
            break
        likely = np.round(predict(codes) / EXACT) * EXACT  # (B, T, K); of all rows, as each may have a label of its own
        for i in rows:
            one = likely[i]
            places = orders[i][done[i][number - 1] if number else 0 : done[i][number]]
            codes[i, places] = _drawn(one[places], rngs[i], temperature)
    return codes


def _drawn(likely: Array, rng: "np.random.Generator", temperature: float) -> Array:
    """Log-probabilities (N, K) -> a code for each (N,), by the Gumbel trick: one argmax instead of N draws."""
    noise = rng.gumbel(size=likely.shape)  # drawn at a temperature of 0 too, so that the order of draws is the same
    return np.asarray((likely + temperature * noise).argmax(axis=1))


def log_likelihood(predict: Predict, codes: Array, passes: int = 12) -> Array:
    """The log-probability of each code (B, T) by a fixed order of places, filled in so many passes; 0 for one that is missing.

    The sum over T is a log-likelihood of what is known of the row: what is filled in one pass is independent given what was
    before. The order is the same for all rows and at every call.
    """
    count = codes.shape[1]
    order = np.random.default_rng(0).permutation(count)
    result, first = np.zeros(codes.shape), 0
    for last in schedule(count, passes):
        given = codes.copy()
        given[:, order[first:]] = MISSING
        places = order[first:last]
        likely = predict(given)[:, places]  # (B, N, K)
        known = codes[:, places] != MISSING
        each = np.take_along_axis(likely, np.where(known, codes[:, places], 0)[:, :, None], axis=2)[:, :, 0]
        result[:, places] = np.where(known, each, 0)
        first = last
    return result


def label_likelihoods(predict: Callable[[Array, Array], Array], codes: Array, count: int) -> Array:
    """How likely each of `count` labels is given what is known of each row of codes (B, T): log-probabilities (B, count).

    predict: codes and labels (B,) -> log-probabilities (B, T, K). All labels are as likely before a code is known (Bayes' rule).
    """
    likely = np.stack(
        [
            log_likelihood(lambda given, one=label: predict(given, np.full(len(given), one)), codes, GUESS).sum(axis=1)  # type: ignore[misc]
            for label in range(1, count + 1)
        ],
        axis=1,
    )  # (B, count)
    likely -= likely.max(axis=1, keepdims=True)
    return np.asarray(likely - np.log(np.exp(likely).sum(axis=1, keepdims=True)))


def shared_out(likely: Array, number: int, temperature: float = 1.0) -> Array:
    """So many labels (B, number) of 1 to L for each row, as often as they are likely (B, L), the most likely first.

    Each next picture goes to the label that has the most left of what is its share (Balinski and Young, 1975): so one picture
    has the most likely label, and many have all labels by their probabilities. temperature 0: the most likely one alone.

    >>> shared_out(np.log([[0.3, 0.7]]), 1).tolist(), shared_out(np.log([[0.3, 0.7]]), 5).tolist()
    ([[2]], [[2, 1, 2, 2, 1]])
    """
    likely = np.round(likely / EXACT) * EXACT
    if temperature == 0:
        return np.repeat(likely.argmax(axis=1)[:, None] + 1, number, axis=1)
    shares = np.exp((likely - likely.max(axis=1, keepdims=True)) / temperature)
    shares /= shares.sum(axis=1, keepdims=True)
    counts, rows, labels = np.zeros_like(shares), np.arange(len(shares)), []
    for _ in range(number):
        # Webster's divisors: a label gets its next picture when its share reaches half of one more.
        chosen = (shares / (counts + 0.5)).argmax(axis=1)
        counts[rows, chosen] += 1
        labels.append(chosen + 1)
    return np.stack(labels, axis=1)


def guided(labelled: Array, plain: Array, scale: float) -> Array:
    """Classifier-free guidance (Ho and Salimans, 2022): away from what is likely without the label, (..., K) twice.

    scale 0: as if there were no label; 1: the label as it was learned; more: what is typical of the label.

    >>> np.exp(guided(np.log([0.8, 0.2]), np.log([0.5, 0.5]), 2.0)).round(3).tolist()
    [0.941, 0.059]
    """
    scores = plain + scale * (labelled - plain)
    top = scores.max(axis=-1, keepdims=True)
    return np.asarray(scores - top - np.log(np.exp(scores - top).sum(axis=-1, keepdims=True)))
