"""Measures of masks: how far the points of each label overlap, and how many things are found one by one.

IoU, Dice and accuracy are functions of counts of points that add up over pictures; they are those of a confusion matrix
(`sklearn.metrics.confusion_matrix` gives the same, which a test shows). A thing is found where it overlaps one answer by
more than half, so that at most one can match it (Kirillov et al., 2019, "Panoptic segmentation").
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.fields.mask import decoded
from lamella.metrics.resample import Floats
from lamella.task import Scores

Array = NDArray[Any]
UNKNOWN = 255  # a point without a label
OVERLAP = 0.5  # of a thing and an answer, intersection over union


def segmentation(pairs: Sequence[tuple[Array, Array]], labels: Sequence[str], background: str, ignore: int,
                 things: Sequence[tuple[Array, Array]] = ()) -> Scores:  # fmt: skip
    """mIoU, Dice, accuracy, IoU of all labels but the background, and of things precision-like AP at an overlap of .5.

    pairs: for each picture the places of labels (H, W) that were answered and wanted; where `ignore` is wanted a point does
    not count. mIoU is the mean over labels that are wanted or answered anywhere, the background among them, as in Pascal
    VOC; Dice and IoU leave the background out. things: the same of numbers of things, 0 for none.

    >>> scores = segmentation([(np.array([[0, 1, 1, 1]]), np.array([[0, 0, 1, 1]]))], ["background", "a"], "background", 255)
    >>> {name: round(value, 3) for name, value in scores.values.items()}
    {'mIoU': 0.583, 'dice': 0.8, 'IoU': 0.667, 'accuracy': 0.75}
    """
    count = len(labels)
    parts = np.zeros((len(pairs), 3 * count + 3))
    for row, (answered, wanted) in zip(parts, pairs, strict=True):
        row[: 3 * count] = overlaps(answered, wanted, count, ignore).ravel()
    for row, (answered, wanted) in zip(parts, things, strict=False):
        row[3 * count :] = matched(answered, wanted)
    front = np.array([label != background for label in labels])

    def ratios(sums: Floats, of: Callable[[Floats, Floats, Floats], Floats], rows: Array) -> float:
        hits, extra, missed = sums[: 3 * count].reshape(3, count)
        seen = rows & (hits + extra + missed > 0)
        return float(of(hits, extra, missed)[seen].mean()) if seen.any() else 0.0

    def iou(hits: Floats, extra: Floats, missed: Floats) -> Floats:
        return hits / np.maximum(hits + extra + missed, 1)

    def dice(hits: Floats, extra: Floats, missed: Floats) -> Floats:
        return 2 * hits / np.maximum(2 * hits + extra + missed, 1)

    every = np.ones(count, bool)
    front = front if front.any() else every
    measures: dict[str, Callable[[Floats], float]] = {
        "mIoU": lambda sums: ratios(sums, iou, every),
        "dice": lambda sums: ratios(sums, dice, front),
        "IoU": lambda sums: ratios(sums, iou, front),
        "accuracy": lambda sums: float(
            sums[:count].sum() / max(1.0, sums[:count].sum() + sums[2 * count : 3 * count].sum())
        ),
    }
    notes = {"mIoU": "mean over labels, points of all pictures counted together"}
    if len(things):
        measures["AP50"] = lambda sums: float(sums[3 * count] / max(1.0, sums[3 * count :].sum()))
        notes["AP50"] = "things found / (found + missed + answered wrongly), at an overlap of more than .5"
    return Scores.from_sums(parts, measures, notes)


def overlaps(answered: Array, wanted: Array, count: int, ignore: int) -> Floats:
    """For each label the points that are right, answered wrongly, and missed: (3, L)."""
    known = wanted != ignore
    answered, wanted = np.where(answered[known] < count, answered[known], 0).astype(np.int64), wanted[known]
    hits = np.bincount(wanted[answered == wanted], minlength=count)
    return np.stack(
        [hits, np.bincount(answered, minlength=count) - hits, np.bincount(wanted, minlength=count) - hits]
    ).astype(np.float64)


def matched(answered: Array, wanted: Array) -> Floats:
    """Things that were found, answered wrongly, and missed: (3,).

    >>> matched(np.array([[1, 1, 0, 2]]), np.array([[7, 7, 7, 0]])).tolist()
    [1.0, 1.0, 0.0]
    """
    _, one = np.unique(np.append(answered.ravel(), 0), return_inverse=True)
    _, other = np.unique(np.append(wanted.ravel(), 0), return_inverse=True)
    sizes, others = np.bincount(one), np.bincount(other)
    both = np.zeros((len(sizes), len(others)))
    np.add.at(both, (one, other), 1)
    sizes[0], others[0] = sizes[0] - 1, others[0] - 1  # the 0 that was added, so that it is number 0 in both
    both[0, 0] -= 1
    iou = both[1:, 1:] / np.maximum(sizes[1:, None] + others[None, 1:] - both[1:, 1:], 1)
    found = float((iou > OVERLAP).sum())
    return np.array([found, len(sizes) - 1 - found, len(others) - 1 - found])


def by_label(answers: Sequence[Any], wanted: Sequence[Any]) -> list[dict[str, Any]]:
    """IoU of each label that occurs, worst first: {"label", "IoU", "points"}.

    answers: for each picture a dict with a "mask"; wanted: the masks.

    >>> mask = np.array([[0, 1]], np.uint8)
    >>> by_label([{"mask": mask}], [mask])
    [{'label': '1', 'IoU': 1.0, 'points': 1}, {'label': 'background', 'IoU': 1.0, 'points': 1}]
    """
    pairs = [(decoded(a), decoded(w)) for a, w in zip(answers, wanted, strict=True)]
    labels = list(dict.fromkeys(label for pair in pairs for _, own in pair for label in own))
    total = np.zeros((3, len(labels)))
    for pair in pairs:
        answered, mask = (_placed(points, own, labels) for points, own in pair)
        total += overlaps(answered, mask, len(labels), UNKNOWN)
    rows = [
        {"label": label, "IoU": float(h / (h + e + m)), "points": int(h + m)}
        for label, h, e, m in zip(labels, *total, strict=True)
        if h + e + m > 0
    ]
    return sorted(rows, key=lambda row: (row["IoU"], row["label"]))


def _placed(points: Array, own: Sequence[str], labels: Sequence[str]) -> Array:
    """Places in a mask's own labels as places in all."""
    places = np.full(256, UNKNOWN, np.uint8)
    places[: len(own)] = [labels.index(label) for label in own]
    return np.asarray(places[points])
