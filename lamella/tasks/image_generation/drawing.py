"""Codes that are drawn by the prior, and points that they become."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lamella.decode import code_grid
from lamella.task import Array, GraphLike
from lamella.tasks.image_generation.labels import read

AT_ONCE = 64  # pictures that are drawn together
FEW = 16  # pictures, below which a graph is asked once with their labels and without them
TRIES = 4  # times that a picture is drawn, at most, until it is read as its label


def predict(graphs: Mapping[str, GraphLike], label: Array, codes: Array, guidance: float) -> Array:
    """Codes (B, T), some missing, of kinds (B,), 0 for any -> log-probabilities (B, T, K), guided by the kinds."""

    def run(codes: Array, label: Array) -> Array:
        return graphs["fill"](codes=codes, label=label)["scores"]

    label = label[: len(codes)]
    if guidance == 1 or not label.any():
        return run(codes, label)
    anyway = np.zeros_like(label)
    if len(codes) <= FEW:  # with the label and without it at once: products of few rows are slow
        given, general = np.split(run(np.concatenate([codes, codes]), np.concatenate([label, anyway])), 2)
        return code_grid.guided(given, general, guidance)
    return code_grid.guided(run(codes, label), run(codes, anyway), guidance)


def points(graphs: Mapping[str, GraphLike], codes: Array) -> Array:
    """Codes (N, T) -> points (N, C, S, S)."""
    parts = [graphs["decode"](codes=codes[i : i + AT_ONCE])["values"] for i in range(0, len(codes), AT_ONCE)]
    return np.concatenate(parts)


def begun(graphs: Mapping[str, GraphLike], pictures: Array, labels: Array, owners: Sequence[int]) -> Array:
    """The kind (B,) of each label (B,), 0 for any, that pictures (1 or B, C, S, S) are most likely of; owners: labels of the kinds."""
    if not owners:
        return labels
    if "read" not in graphs:  # there is one kind only
        return np.ones_like(labels)
    likely = read(graphs, pictures)  # (1 or B, K)
    own = (np.array(owners)[None] == labels[:, None]) | (labels[:, None] == 0)
    return np.asarray(np.where(own, likely, -np.inf).argmax(axis=1) + 1)


def drawn(
    graphs: Mapping[str, GraphLike],
    codes: Array,
    kinds: Array,
    config: Any,
    owners: Sequence[int] = (),
    guidance: float = 1.0,
) -> list[Array]:
    """Codes (B, T), some missing; kinds (B, N), 0 for any -> N whole ones a row, each by its own generator.

    owners: the label of each kind; without them kinds are labels. With a guidance above 1, a picture is kept with the
    probability that it is read as its label, and else drawn again: so the net that reads labels is a guide too (Dhariwal and
    Nichol, 2021). The last try is kept in any case.
    """
    count = kinds.shape[1]
    rngs = [np.random.default_rng([config.seed, i]) for _ in codes for i in range(count)]
    kinds, empty = kinds.ravel(), np.repeat(codes, count, axis=0)
    out, left = empty.copy(), np.arange(len(empty))
    checked = guidance > 1 and "read" in graphs
    for attempt in range(TRIES if checked else 1):
        again: list[Array] = []
        for first in range(0, len(left), AT_ONCE):
            rows = left[first : first + AT_ONCE]
            own, some = kinds[rows], [rngs[i] for i in rows]

            def fill(given: Array, own: Array = own) -> Array:
                return predict(graphs, own, given, guidance)

            out[rows] = code_grid.fill(fill, empty[rows], some, config.passes, config.temperature)
            if checked and attempt < TRIES - 1:
                likely = _as_its_label(read(graphs, points(graphs, out[rows]).clip(0, 1)), own, owners)
                kept = np.exp(np.round(likely / code_grid.EXACT) * code_grid.EXACT)
                again.append(rows[(np.array([rng.random() for rng in some]) >= kept) & (own > 0)])
        left = np.concatenate(again) if again else left[:0]
        if not len(left):
            break
    return list(out.reshape(-1, count, codes.shape[1]))


def _as_its_label(likely: Array, own: Array, owners: Sequence[int]) -> Array:
    """Log-probabilities of kinds (B, K) -> that of the label (B,) of each row's kind (B,)."""
    if not owners:
        return np.asarray(likely[np.arange(len(own)), own - 1])
    labels = np.array(owners)
    same = labels[None] == labels[own - 1][:, None]  # (B, K)
    return np.asarray(np.log(np.maximum(1e-30, (np.exp(likely) * same).sum(axis=1))))
