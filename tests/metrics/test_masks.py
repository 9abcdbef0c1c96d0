"""Measures of masks beside scikit-learn's confusion matrix."""

import numpy as np
import pytest

from lamella.data.media.masks import encode_mask
from lamella.metrics.masks import by_label, matched, overlaps, segmentation


def test_measures_are_those_of_a_confusion_matrix():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    pairs = [(rng.integers(0, 4, (9, 7)), rng.integers(0, 4, (9, 7))) for _ in range(5)]
    for answered, wanted in pairs:
        wanted[rng.random(wanted.shape) < 0.1] = 255
        answered[rng.random(wanted.shape) < 0.3] = 1
    labels = ["background", "a", "b", "c"]
    values = segmentation(pairs, labels, "background", 255).values
    answered, wanted = (np.concatenate([pair[i].ravel() for pair in pairs]) for i in (0, 1))
    known = wanted != 255
    matrix = sklearn.confusion_matrix(wanted[known], answered[known])
    iou = matrix.diagonal() / (matrix.sum(0) + matrix.sum(1) - matrix.diagonal())
    assert values["mIoU"] == pytest.approx(iou.mean()) and values["IoU"] == pytest.approx(iou[1:].mean())
    assert values["accuracy"] == pytest.approx(sklearn.accuracy_score(wanted[known], answered[known]))
    dice = sklearn.f1_score(wanted[known], answered[known], average=None)
    assert values["dice"] == pytest.approx(dice[1:].mean())
    masks = [[encode_mask(points, labels) for points in pair] for pair in pairs]
    rows = by_label([{"mask": answered} for answered, _ in masks], [wanted for _, wanted in masks])
    assert {row["label"]: row["IoU"] for row in rows} == pytest.approx(dict(zip(labels, iou)))


def test_a_resample_counts_pictures_as_often_as_it_says():
    one, other = (np.zeros((2, 2), int), np.ones((2, 2), int)), (np.ones((2, 2), int), np.ones((2, 2), int))
    measure = segmentation([one, other], ["background", "a"], "background", 255).measure
    assert measure(np.array([1.0, 1.0]))["IoU"] == 0.5 and measure(np.array([0.0, 2.0]))["IoU"] == 1
    assert measure(np.array([2.0, 1.0]))["IoU"] == pytest.approx(1 / 3)


def test_things_are_found_by_more_than_half():
    wanted = np.array([[1, 1, 1, 1, 0, 2, 2, 0]])
    assert matched(np.array([[3, 3, 3, 0, 0, 0, 5, 5]]), wanted).tolist() == [1, 1, 1]
    assert matched(np.zeros((1, 8), int), wanted).tolist() == [0, 0, 2]
    assert matched(wanted, wanted).tolist() == [2, 0, 0] and matched(wanted * 0, wanted * 0).tolist() == [0, 0, 0]
    scores = segmentation([(wanted > 0, wanted > 0)], ["background", "a"], "background", 255, [(wanted, wanted)])
    assert scores.values["AP50"] == 1


def test_labels_that_nobody_has_do_not_count():
    pair = np.zeros((2, 2), int), np.zeros((2, 2), int)
    values = segmentation([pair], ["background", "a", "b"], "background", 255).values
    assert values["mIoU"] == 1 and values["IoU"] == 0
    assert overlaps(*pair, 3, 255).tolist() == [[4, 0, 0], [0, 0, 0], [0, 0, 0]]
