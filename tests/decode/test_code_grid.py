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


def test_labels_are_as_likely_as_they_make_what_is_seen():
    codes = np.array([[0, MISSING], [1, 1], [MISSING, MISSING]])
    likely = code_grid.label_likelihoods(of_labels, codes, 2)
    assert np.exp(likely[:, 0]) == pytest.approx([0.9, 0.01 / 0.82, 0.5])  # Bayes' rule


def test_pictures_are_shared_out_among_labels():
    likely = np.log(np.array([[0.6, 0.3, 0.1], [0.05, 0.05, 0.9]]))
    labels = code_grid.shared_out(likely, 100)
    assert labels[:, 0].tolist() == [1, 3]
    assert [np.bincount(row, minlength=4).tolist() for row in labels] == [[0, 60, 30, 10], [0, 5, 5, 90]]
    assert code_grid.shared_out(likely, 5, temperature=0).tolist() == [[1] * 5, [3] * 5]
    flat = code_grid.shared_out(likely, 100, temperature=1e3)
    assert np.bincount(flat[1]).max() <= 35


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
