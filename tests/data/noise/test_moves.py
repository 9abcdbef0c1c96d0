"""Noise that moves what a picture shows: boxes and masks move along."""

from __future__ import annotations

import numpy as np
import pytest

from lamella.data.media.images import open_picture
from lamella.data.media.masks import IGNORE, encode_mask, read_mask
from lamella.data.noise import moves
from lamella.fields import Boxes, Image
from lamella.fields.mask import Mask

WIDTH, HEIGHT = 48, 32


def rng():
    return np.random.default_rng(3)


def scene():
    """A dark picture with a bright block, its box and its mask."""
    points = np.full((HEIGHT, WIDTH), 20, np.uint8)
    points[10:18, 20:32] = 220
    return points, [{"label": "block", "box": [20, 10, 32, 18]}], (points > 100).astype(np.uint8)


@pytest.mark.parametrize("noise", Image.moves)
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_boxes_and_masks_go_where_the_picture_goes(noise, strength):
    points, boxes, labels = scene()
    moved, move = moves.moved(points, noise, strength, rng())
    assert moved.shape == points.shape and moved.dtype == np.uint8
    bright = moved > 120
    mask = read_mask(Mask().follow(encode_mask(labels, ["background", "block"]), move))
    assert mask.labels == ["background", "block"]
    known = mask.points != IGNORE
    assert ((mask.points == 1) == bright)[known].mean() > 0.97  # but for the soft edge
    [box] = Boxes().follow(boxes, move)
    rows, columns = np.nonzero(bright)
    shown = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    assert box["label"] == "block"
    # Of a turned block the box is that of the ellipse in it, so a little smaller.
    assert np.abs(np.array(box["box"]) - shown).max() <= (5 if noise == "rotated" else 1.5)


def test_things_stay_apart():
    points = np.zeros((8, 8), np.uint8)
    points[:, :3], points[:, 5:] = 1, 1
    things = np.where(points, 1 + (np.arange(8) > 4), 0)
    mirror = moves.Move((-1, 0, 8, 0, 1, 0), 8, 8)
    mask = read_mask(moves.moved_mask(encode_mask(points, ["background", "cell"], things), mirror))
    assert mask.things.tolist() == things[:, ::-1].tolist()


def test_what_comes_from_outside_is_unknown_and_boxes_that_leave_are_gone():
    points, boxes, labels = scene()
    away = moves.Move((1, 0, 40.0, 0, 1, 0), WIDTH, HEIGHT)
    assert moves.moved_boxes(boxes, away) == []
    mask = read_mask(moves.moved_mask(encode_mask(labels, ["background", "block"]), away))
    assert (mask.points[:, :40] == IGNORE).all() and (mask.points[:, 40:] == 0).all()
    assert (moves.moved_picture(open_picture(points), away)[:, :40] == 20).all()  # the colour of the edge


def test_a_stronger_move_goes_further_the_same_way():
    for noise in ("rotated", "shifted", "zoomed"):
        nothing, half, whole = (moves.move_of(noise, s, WIDTH, HEIGHT, rng()).matrix for s in (0.0, 0.5, 1.0))
        assert nothing == pytest.approx((1, 0, 0, 0, 1, 0))
        for start, some, most in zip(nothing, half, whole, strict=True):
            assert (some - start) * (most - start) >= 0 and abs(some - start) <= abs(most - start)
    mirrored = [
        moves.move_of("mirrored", s, 10, 10, np.random.default_rng(i)).matrix[0] < 0
        for s in (0.2, 0.8)
        for i in range(40)
    ]
    few, many = mirrored[:40], mirrored[40:]
    assert sum(few) < sum(many) and all(b for a, b in zip(few, many, strict=True) if a)
