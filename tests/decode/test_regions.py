"""Connected things, grown things and borders, beside scipy's; tiles that cover a picture and agree where they meet."""

import numpy as np
import pytest

from lamella.decode.necks import at_necks, depths
from lamella.decode.regions import borders, connected, grow, without_small
from lamella.decode.segments import resized_argmax
from lamella.decode.tiles import OVERLAP, hann, in_tiles, reflected, starts


def test_connected_things_are_those_of_scipy():
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(0)
    for _ in range(150):
        mask = (rng.random(rng.integers(1, 40, 2)) < rng.random()).astype(int)
        wanted, count = ndimage.label(mask, np.ones((3, 3)))
        things, found = connected(mask)
        assert found == count and np.array_equal(things, wanted)


def test_things_of_two_labels_do_not_connect():
    labels = np.array([[1, 2], [2, 1]])
    things, count = connected(labels)
    assert count == 2 and things.tolist() == [[1, 2], [2, 1]]  # each over its corner
    assert connected(np.zeros((3, 0), int))[1] == 0 and connected(np.zeros((2, 2), int))[1] == 0


def test_a_spiral_is_one_thing():
    mask = np.zeros((41, 41), int)
    x = y = 20
    for i, (dy, dx) in enumerate([(0, 1), (1, 0), (0, -1), (-1, 0)] * 9):
        for _ in range(2 * (i // 2 + 1)):
            if 0 <= y < 41 and 0 <= x < 41:
                mask[y, x] = 1
            y, x = y + dy, x + dx
    assert connected(mask)[1] == 1


def test_growing_stops_at_other_labels_and_meets_halfway():
    things = np.zeros((1, 9), np.int32)
    things[0, 0], things[0, 6] = 1, 2
    labels = np.array([[1, 1, 1, 1, 1, 1, 1, 2, 0]])
    assert grow(things, labels).tolist() == [[1, 1, 1, 2, 2, 2, 2, 0, 0]]
    assert grow(things, labels, steps=1).tolist() == [[1, 1, 0, 0, 0, 2, 2, 0, 0]]


def test_borders_are_in_gaps_too():
    things = np.array([[1, 1, 0, 2, 2, 0, 0, 0]])
    assert borders(things, 1).astype(int).tolist() == [[0, 0, 1, 0, 0, 0, 0, 0]]
    assert not borders(np.array([[1, 1, 0, 0]]), 3).any()


def test_small_things():
    things = np.array([[1, 2, 2, 0, 3, 3]], np.int32)
    assert without_small(things, 2).tolist() == [[0, 1, 1, 0, 2, 2]]


@pytest.mark.parametrize(("length", "tile"), [(100, 512), (512, 512), (513, 512), (1000, 512), (5000, 64), (65, 64)])
def test_tiles_cover_a_side(length, tile):
    begins = starts(length, tile)
    assert begins[0] == 0 and max(begins) + tile >= length and max(begins) <= max(0, length - tile)
    assert all(b - a <= tile * (1 - OVERLAP) + 1 for a, b in zip(begins, begins[1:]))  # noqa: RUF007


@pytest.mark.parametrize("shape", [(3, 5, 7), (1, 200, 90), (2, 64, 64), (1, 1, 130)])
def test_what_depends_on_a_point_alone_is_exact_in_tiles(shape):
    picture = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    seen = []

    def run(x):
        seen.append(x.shape)
        assert x.shape[2] % 16 == x.shape[3] % 16 == 0 and max(x.shape) <= 64
        return np.concatenate([x[:, :1], -x[:, :1]], axis=1)

    scores = in_tiles(run, picture, tile=64, multiple=16)
    assert scores.shape == (2, *shape[1:]) and np.allclose(scores[0], picture[0], atol=1e-6)
    assert len(set(seen)) == 1, "tiles of one size"


def test_reflection_and_window():
    assert reflected(np.arange(3.0, dtype=np.float32).reshape(1, 1, 3), 8)[0, 0].tolist() == [0, 1, 2, 2, 1, 0, 0, 1]
    assert hann(64).min() > 0


def discs(*places: tuple[int, int, int], side: int = 48) -> np.ndarray:
    """Discs in a square: row and column of the middle, radius."""
    y, x = np.indices((side, side))
    return np.any([(y - a) ** 2 + (x - b) ** 2 <= r * r for a, b, r in places], axis=0).astype(np.uint8)


def test_things_are_parted_at_their_necks():
    two = discs((20, 12, 9), (20, 28, 9))
    assert connected(two)[1] == 1 and at_necks(two, 0.25).max() == 2
    seeds = at_necks(two, 0.25)
    things = grow(seeds, two)
    assert ((things > 0) == (two > 0)).all() and abs((things == 1).sum() - (things == 2).sum()) < 20
    assert (things[:, :20][two[:, :20] > 0] == things[20, 12]).all(), "each disc is one"
    assert at_necks(discs((20, 12, 9), (20, 22, 9)), 0.25).max() == 1, "they overlap by more than half: no neck"
    assert at_necks(discs((24, 24, 15)), 0.0).max() == 1 and at_necks(np.zeros((5, 7), np.uint8), 0.25).max() == 0
    labels = two.copy()
    labels[:, 20:] *= 2  # another label: no neck is needed
    assert at_necks(labels, 0.25).max() == 2 and at_necks(np.ones((40, 40), np.uint8), 0.25).max() == 1
    turned = at_necks(two.T, 0.25)
    assert turned.max() == 2 and (depths(two.T) == depths(two).T).all()


def test_the_most_likely_label_of_an_enlarged_picture():
    likely = np.zeros((2, 2, 2), np.float32)
    likely[1, :, 1] = likely[0, :, 0] = 1
    points, between = resized_argmax(likely, (4, 4), 2)
    assert points.tolist() == [[0, 0, 1, 1]] * 4 and not between.any()
    likely = np.array([[[0.3, 0.3]], [[0.5, 0.6]], [[0.2, 0.1]]], np.float32)
    assert [resized_argmax(likely, (1, 2), 2, border)[1].tolist() for border in (0.0, 0.15)] == [
        [[False, False]], [[True, False]],
    ]  # fmt: skip
