"""Codes that are filled in: each row by its own label, and labels by what is seen."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.decode import code_grid
from lamella.decode.code_grid import MISSING

SURE = np.log([[0.9, 0.1], [0.1, 0.9]])  # of each label, how likely each of two codes is, at every place


def of_labels(codes, label):
    return np.repeat(SURE[np.asarray(label) - 1][:, None], codes.shape[1], axis=1)


def test_what_is_missing_has_no_likelihood():
    codes = np.array([[0, MISSING, 1, MISSING], [0, 0, 0, 0]])
    likely = code_grid.log_likelihood(lambda given: of_labels(given, np.array([1, 1])), codes, 3)
    assert np.exp(likely) == pytest.approx(np.array([[0.9, 1, 0.1, 1], [0.9] * 4]))


def test_labels_are_drawn_by_how_likely_they_make_what_is_seen():
    codes = np.array([[0, MISSING], [1, 1], [MISSING, MISSING]])
    rngs = [np.random.default_rng([7, row]) for row in range(3)]
    labels = code_grid.drawn_labels(of_labels, codes, 2, rngs, 4000)
    assert labels.shape == (3, 4000)
    assert (labels == 1).mean(axis=1) == pytest.approx([0.9, 0.01 / 0.82, 0.5], abs=0.03)  # Bayes' rule
    best = code_grid.drawn_labels(of_labels, codes[:2], 2, rngs[:2], 5, temperature=0)
    assert best.tolist() == [[1] * 5, [2] * 5]


def test_rows_with_fewer_places_to_fill_keep_their_own_label():
    """The first row is done after one pass; the others go on, each under its own label."""
    label = np.array([1, 2, 1, 2])
    codes = np.full((4, 8), MISSING)
    codes[0, 1:] = 0
    seen = []

    def predict(given):
        seen.append(len(given))
        return 50 * of_labels(given, label[: len(given)])

    rngs = [np.random.default_rng(row) for row in range(4)]
    filled = code_grid.fill(predict, codes, rngs, passes=4)
    assert filled.tolist() == [[0] * 8, [1] * 8, [0] * 8, [1] * 8] and len(seen) == 4
