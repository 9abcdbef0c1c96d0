"""Linear classifiers over sets of features, solved rather than trained: the part of a classifier that needs no net.

`naive_bayes` counts. `logistic` minimises a convex loss, so there is one best answer and no seed, no learning rate and
no number of steps to choose; a few thousand texts take seconds. Tests compare both with scikit-learn's. `solve` joins
them as Wang and Manning (2012) do: each feature counts in the regression as much as naive Bayes thinks it tells, and
the answer is the mean of the two. On single sentences that beats either.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEMORY = 8  # past steps that L-BFGS remembers
WORK = 100_000_000  # features times labels of all texts: of more than that a part is taken


def solve(
    rows: Sequence[Ints], wanted: Ints, features: int, labels: int, strength: float, parts: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Weights (features, labels) and biases (labels,): a text's scores are its features' sum over the root of their number.

    rows: of each of N texts the ids of its features; wanted (N,): the texts' labels; parts (features,): where a feature
    is a part of a word, which naive Bayes leaves out: it takes features for independent, and parts of one word are not.
    """
    room = WORK // max(1, sum(map(len, rows)) // len(rows)) // labels
    if room < len(rows):  # a part of the texts is enough where there are so many
        chosen = np.random.default_rng(0).permutation(len(rows))[:room]
        rows, wanted = [rows[i] for i in chosen], wanted[chosen]
    ratios, share = naive_bayes(rows, wanted, features, labels)
    telling = np.sqrt(ratios**2 @ share)
    telling = telling / max(1e-9, float(telling.mean()))
    values = [telling[row] / max(1, len(row)) ** 0.5 for row in rows]
    weights, bias = logistic(rows, values, wanted, features, labels, strength)
    return (telling[:, None] * weights + np.where(parts[:, None], 0, ratios)) / 2, (bias + np.log(share)) / 2


def naive_bayes(rows: Sequence[Ints], wanted: Ints, features: int, labels: int) -> tuple[Floats, Floats]:
    """How much likelier each feature is in texts of each label than in all, as logarithms, and the share of each label.

    (features, labels), with one added to each count (Laplace); (labels,).

    >>> ratios, share = naive_bayes([np.array([0]), np.array([1])], np.array([0, 1]), features=2, labels=2)
    >>> ratios.round(2).tolist(), share.tolist()
    ([[0.35, -0.35], [-0.35, 0.35]], [0.5, 0.5])
    """
    text = np.repeat(wanted, [len(r) for r in rows])
    counts = (
        np.bincount(np.concatenate(rows) * labels + text, minlength=features * labels).reshape(features, labels) + 1
    )
    share = np.bincount(wanted, minlength=labels) / len(wanted)
    logs = np.log(counts / counts.sum(axis=0))
    return logs - (logs @ share)[:, None], share


def logistic(
    rows: Sequence[Ints], values: Sequence[Floats], wanted: Ints, features: int, labels: int, strength: float
) -> tuple[Floats, Floats]:
    """Weights (features, labels) and biases (labels,) that minimise `strength * cross-entropy + |weights|^2 / 2`.

    rows: of each of N texts the ids of its features, values: how much each counts; wanted (N,): the texts' labels.

    >>> rows, values = [np.array([0]), np.array([1])], [np.ones(1), np.ones(1)]
    >>> weights, _ = logistic(rows, values, np.array([0, 1]), features=2, labels=2, strength=1.0)
    >>> weights.argmax(axis=1).tolist()
    [0, 1]
    """
    ids, value = np.concatenate(rows), np.concatenate(values)
    text = np.repeat(np.arange(len(rows)), [len(r) for r in rows])
    right = np.eye(labels)[wanted]  # (N, L)

    def loss(point: Floats) -> tuple[float, Floats]:
        weights, bias = point[:-labels].reshape(labels, features), point[-labels:]
        scores = np.stack([np.bincount(text, w[ids] * value, len(rows)) for w in weights], axis=1) + bias  # (N, L)
        scores -= scores.max(axis=1, keepdims=True)
        share = np.exp(scores)
        mass = share.sum(axis=1, keepdims=True)
        total = strength * float((np.log(mass) - (scores * right).sum(axis=1, keepdims=True)).sum())
        off = strength * (share / mass - right)  # (N, L)
        slope = np.stack([np.bincount(ids, o[text] * value, features) for o in off.T]) + weights
        return total + float((weights**2).sum()) / 2, np.concatenate([slope.ravel(), off.sum(axis=0)])

    point = minimise(loss, np.zeros(labels * (features + 1)))
    return point[:-labels].reshape(labels, features).T, point[-labels:]


def minimise(loss: Callable[[Floats], tuple[float, Floats]], point: Floats, steps: int = 100) -> Floats:
    """The lowest point of a smooth convex function that gives its value and slope: L-BFGS (Liu and Nocedal, 1989).

    >>> minimise(lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3)), np.zeros(2)).round(4).tolist()
    [3.0, 3.0]
    """
    value, slope = loss(point)
    moves: list[tuple[Floats, Floats, float]] = []
    first = float(np.abs(slope).max())
    for _ in range(steps):
        if np.abs(slope).max() <= 1e-4 * first:
            break
        # The slope times an estimate of the inverse curvature, built from how it changed over the last steps.
        way, back = -slope, []
        for move, change, scale in reversed(moves):
            back.append(scale * float(move @ way))
            way = way - back[-1] * change
        if moves:
            move, change, scale = moves[-1]
            way = way / (scale * float(change @ change))
        else:
            way = way / float(np.linalg.norm(slope))
        for (move, change, scale), b in zip(moves, reversed(back), strict=True):
            way = way + (b - scale * float(change @ way)) * move
        # Half as far, until the value falls by a fair part of what the slope promises.
        far, down = 1.0, float(slope @ way)
        while far > 1e-8:
            there = point + far * way
            value_there, slope_there = loss(there)
            if value_there <= value + 1e-4 * far * down:
                break
            far /= 2
        else:
            break
        move, change = there - point, slope_there - slope
        if float(move @ change) > 1e-12:
            moves = [*moves[-MEMORY + 1 :], (move, change, 1 / float(move @ change))]
        point, value, slope = there, value_there, slope_there
    return point
