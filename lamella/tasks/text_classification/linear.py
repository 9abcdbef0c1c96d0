"""Linear classifiers over sets of features, solved rather than trained: the part of a classifier that needs no net.

`naive_bayes` counts features. `logistic` minimises a convex loss, so there is one best solution, and no seed, learning
rate or number of steps to choose; a few thousand texts take seconds. Tests compare both with scikit-learn's.

`solve` combines them. Features enter the regression scaled by their naive Bayes log-ratios (Wang and Manning, 2012), and
the two classifiers are mixed: on sentences of ten words naive Bayes is often better than the regression, on longer texts
or unbalanced labels it is not. The weights of the mixture are therefore learned by stacking (Wolpert, 1992): each text is
scored by solutions that have not seen it, and the weights and a bias for each label maximise the likelihood of these
scores. So does the strength of the regression. Everything is linear in the same features, so the result is one table, as
large and as fast as either alone; and since it was fitted to held-out scores, its probabilities are calibrated.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MEMORY = 8  # past steps that L-BFGS remembers
WORK = 100_000_000  # features times labels of all texts; beyond that a subset is used
CHOICE = 6_000_000  # the same, when many solutions are compared
FOLDS = 4
STRENGTHS = (1.0, 3.0)  # candidates; for texts of length 1 the best is usually near these
ADDED = 0.3  # additive smoothing: less than Laplace's 1, since most features occur in one text or two
DENSE = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)  # the same for `dense`, whose features have the length 1 in the mean
ROUGH = 5e-4  # tolerance for solutions that are only compared


class Unseen(NamedTuple):
    """Scores of texts by solutions that have not seen them, (M, labels), and which texts these are (M,)."""

    texts: Ints
    scores: Floats


def solve(
    rows: Sequence[Ints],
    wanted: Ints,
    features: int,
    labels: int,
    strength: float | None,
    parts: NDArray[np.bool_],
) -> tuple[Floats, Floats, Unseen]:
    """Weights (features, labels) and biases (labels,); the sum of a text's features is divided by the root of their number.

    Besides, what solutions that have not seen a text say of it, which tells how much to trust this one beside others.

    rows: for each of N texts the ids of its features. wanted (N,): the texts' labels. strength: the inverse regularisation
    of the regression; None: chosen by cross-validation. parts (features,): whether a feature is a part of a word; naive
    Bayes ignores those, since it assumes independent features and parts of one word are not.
    """
    chosen = _some(rows, labels, WORK)
    rows, wanted = [rows[int(i)] for i in chosen], wanted[chosen]
    again = _some(rows, labels, CHOICE)
    few, theirs = [rows[int(i)] for i in again], wanted[again]
    tried = STRENGTHS if strength is None else (strength,)
    # (strengths, 2, N, L): scores of naive Bayes and the regression on texts that they have not seen.
    held_out_scores = np.zeros((len(tried), 2, len(few), labels))
    folds = min(FOLDS, len(few))
    fold = np.random.default_rng(0).permutation(len(few)) % folds
    for held in range(folds):
        seen, new = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
        # Features that these texts lack are unknown to the solution, as they will be in new texts.
        known = np.unique(np.concatenate([few[int(i)] for i in seen]))
        place = np.full(features, -1)
        place[known] = np.arange(len(known))
        seen_rows, unseen = ([place[few[int(i)]] for i in side] for side in (seen, new))
        unseen = [row[row >= 0] for row in unseen]
        for at, members in enumerate(_members(seen_rows, theirs[seen], len(known), labels, tried, parts[known], ROUGH)):
            for m, (weights, bias) in enumerate(members):
                held_out_scores[at, m, new] = [
                    weights[row].sum(axis=0) / max(1, len(row)) ** 0.5 + bias for row in unseen
                ]
    mixes = [stack(scores, theirs) for scores in held_out_scores]
    best = int(np.argmin([loss for _, _, loss in mixes]))
    shares, extra, _ = mixes[best]
    [members] = _members(rows, wanted, features, labels, tried[best : best + 1], parts)
    weights = sum(share * table for share, (table, _) in zip(shares, members, strict=True))
    told = Unseen(chosen[again], np.tensordot(shares, held_out_scores[best], 1) + extra)
    return np.asarray(weights), np.asarray(extra + shares[1] * members[1][1]), told


def _some(rows: Sequence[Ints], labels: int, work: int) -> Ints:
    """As many of the texts as this amount of work allows, by their numbers."""
    room = work // max(1, sum(map(len, rows)) // len(rows)) // labels
    if room >= len(rows):
        return np.arange(len(rows))
    return np.random.default_rng(0).permutation(len(rows))[:room]


def _members(
    rows: Sequence[Ints],
    wanted: Ints,
    features: int,
    labels: int,
    strengths: Sequence[float],
    parts: NDArray[np.bool_],
    exact: float = 1e-4,
) -> list[list[tuple[Floats, Floats]]]:
    """For each strength, the weights and biases of naive Bayes and of the regression."""
    ratios, share = naive_bayes(rows, wanted, features, labels, ADDED)
    telling = np.sqrt(ratios**2 @ share)
    values = [telling[row] / max(1, len(row)) ** 0.5 for row in rows]
    unit = float(np.mean([value @ value for value in values])) ** 0.5 or 1.0  # the mean text has length 1
    counted = np.where(parts[:, None], 0, ratios), np.zeros(labels)
    members, start = [], None
    for strength in strengths:
        start = logistic(rows, [v / unit for v in values], wanted, features, labels, strength, start, exact)
        members.append([counted, (start[0] * (telling / unit)[:, None], start[1])])
    return members


def stack(
    member_scores: Floats, wanted: Ints, first: Sequence[float] = (0.5, 0.5), doubt: float = 1.0, extra: bool = True
) -> tuple[Floats, Floats, float]:
    """Stacking: the weight of each of M members (M,), a bias for each label (L,), and the loss a text.

    member_scores (M, N, L): of texts that the members have not seen; wanted (N,): the texts' labels. The weights are pulled
    towards `first` and the biases towards 0; doubt: the strength of that prior. extra: whether to learn biases.

    >>> right = np.eye(2)[[0, 1] * 50]
    >>> shares, _, _ = stack(np.stack([right, np.zeros((100, 2))]), np.array([0, 1] * 50))
    >>> bool(shares[0] > 3), float(shares[1].round(3))
    (True, 0.5)
    """
    count, texts, labels = member_scores.shape
    right, start = np.eye(labels)[wanted], np.concatenate([np.asarray(first, float), np.zeros(labels)])

    def loss(point: Floats) -> tuple[float, Floats]:
        scores = np.tensordot(point[:count], member_scores, 1) + point[count:]
        likely = logs(scores)
        total, off = -float((likely * right).sum()), np.exp(likely) - right
        slope = np.concatenate([(member_scores * off).sum(axis=(1, 2)), extra * off.sum(axis=0)])
        away = point - start
        return total + doubt * float(away @ away) / 2, slope + doubt * away

    point = minimise(loss, start)
    return point[:count], point[count:], loss(point)[0] / max(1, texts)


def naive_bayes(
    rows: Sequence[Ints], wanted: Ints, features: int, labels: int, added: float = 1.0
) -> tuple[Floats, Floats]:
    """Naive Bayes: log-ratios of each feature's frequency with each label to its overall frequency, and label frequencies.

    (features, labels), with `added` to each count (Laplace: 1); (labels,).

    >>> ratios, share = naive_bayes([np.array([0]), np.array([1])], np.array([0, 1]), features=2, labels=2)
    >>> ratios.round(2).tolist(), share.tolist()
    ([[0.35, -0.35], [-0.35, 0.35]], [0.5, 0.5])
    """
    text = np.repeat(wanted, [len(r) for r in rows])
    seen = np.bincount(np.concatenate(rows) * labels + text, minlength=features * labels)
    counts = seen.reshape(features, labels) + added
    share = np.bincount(wanted, minlength=labels) / len(wanted)
    logs = np.log(counts / counts.sum(axis=0))
    return logs - (logs @ share)[:, None], share


def logistic(
    rows: Sequence[Ints],
    values: Sequence[Floats],
    wanted: Ints,
    features: int,
    labels: int,
    strength: float,
    start: tuple[Floats, Floats] | None = None,
    exact: float = 1e-4,
) -> tuple[Floats, Floats]:
    """Weights (features, labels) and biases (labels,) that minimise `strength * cross-entropy + |weights|^2 / 2`.

    rows: of each of N texts the ids of its features, values: how much each counts; wanted (N,): the texts' labels;
    start: where to begin, such as what another strength gave; exact: the share of the first slope that may be left.

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
        likely = logs(scores)
        total, off = -strength * float((likely * right).sum()), strength * (np.exp(likely) - right)  # (N, L)
        slope = np.stack([np.bincount(ids, o[text] * value, features) for o in off.T]) + weights
        return total + float((weights**2).sum()) / 2, np.concatenate([slope.ravel(), off.sum(axis=0)])

    first = np.zeros(labels * (features + 1))
    least = exact * float(np.abs(loss(first)[1]).max())
    if start is not None:
        first = np.concatenate([start[0].T.ravel(), start[1]])
    point = minimise(loss, first, least=least)
    return point[:-labels].reshape(labels, features).T, point[-labels:]


def dense(
    features: Floats, wanted: Ints, labels: int, strengths: Sequence[float] = DENSE
) -> tuple[Floats, Floats, Floats]:
    """Weights (D, labels) and biases (labels,) of a regression on what a net says of each text, features (N, D).

    Besides the scores of each text by solutions that have not seen it, (N, labels). Its strength is the one of `strengths` by
    which these lose least. Features are scaled to mean 0 and variance 1 first, and the solution back.
    """
    middle, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    scaled = (features - middle) / spread / features.shape[1] ** 0.5
    fold = np.random.default_rng(0).permutation(len(scaled)) % min(FOLDS, len(scaled))
    scores = np.zeros((len(strengths), len(scaled), labels))
    for held in np.unique(fold):
        seen, new = fold != held, fold == held
        point = None
        for at, strength in enumerate(strengths):
            point = _dense(scaled[seen], wanted[seen], labels, strength, point)
            scores[at, new] = scaled[new] @ point[:-labels].reshape(-1, labels) + point[-labels:]
    best = int(np.argmax([logs(some)[np.arange(len(wanted)), wanted].sum() for some in scores]))
    point = _dense(scaled, wanted, labels, strengths[best], None)
    weights = point[:-labels].reshape(-1, labels) / spread[:, None] / features.shape[1] ** 0.5
    return weights, point[-labels:] - middle @ weights, scores[best]


def _dense(features: Floats, wanted: Ints, labels: int, strength: float, first: Floats | None) -> Floats:
    """Weights and biases end to end that minimise `strength * cross-entropy + |weights|^2 / 2`."""
    right = np.eye(labels)[wanted]

    def loss(point: Floats) -> tuple[float, Floats]:
        weights = point[:-labels].reshape(-1, labels)
        likely = logs(features @ weights + point[-labels:])
        off = strength * (np.exp(likely) - right)
        total = -strength * float((likely * right).sum()) + float((weights**2).sum()) / 2
        return total, np.concatenate([(features.T @ off + weights).ravel(), off.sum(axis=0)])

    start = np.zeros((features.shape[1] + 1) * labels)
    return minimise(loss, start if first is None else first, least=ROUGH * float(np.abs(loss(start)[1]).max()))


def logs(scores: NDArray[Any]) -> NDArray[Any]:
    """Log-softmax: scores (N, L) -> log-probabilities of the labels (N, L).

    >>> np.exp(logs(np.zeros((1, 4)))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    scores = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


def minimise(
    loss: Callable[[Floats], tuple[float, Floats]], point: Floats, steps: int = 100, least: float | None = None
) -> Floats:
    """Minimise a smooth convex function that returns its value and gradient: L-BFGS (Liu and Nocedal, 1989).

    It stops when no component of the gradient is above `least`, or above a ten-thousandth of the largest at the start.

    >>> minimise(lambda x: (float((x - 3) @ (x - 3)), 2 * (x - 3)), np.zeros(2)).round(4).tolist()
    [3.0, 3.0]
    """
    value, slope = loss(point)
    moves: list[tuple[Floats, Floats, float]] = []
    least = 1e-4 * float(np.abs(slope).max()) if least is None else least
    for _ in range(steps):
        if np.abs(slope).max() <= least:
            break
        # The gradient times an estimate of the inverse Hessian, built from its changes over the last steps.
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
        # Backtracking line search: half the step until the value falls by a fair part of what the gradient predicts.
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
