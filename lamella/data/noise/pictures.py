"""Noise in pictures that leaves everything in its place, so that boxes and masks stay right: grain, blur, faint contrast,
darkness, JPEG, a part that is covered."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lamella.data.media.images import open_picture

if TYPE_CHECKING:
    from PIL.Image import Image

Rng = np.random.Generator
Points = NDArray[np.uint8]
GRAIN, BLUR, FAINT, DARK, COVERED = 80.0, 0.05, 0.9, 0.85, 0.4  # at full strength: see each


def grain(picture: "Image", strength: float, rng: Rng) -> Points:
    """Normal noise with a standard deviation of GRAIN of 255."""
    points = np.asarray(picture).astype(np.float32)
    return _bytes(points + strength * GRAIN * rng.standard_normal(points.shape, np.float32))


def blur(picture: "Image", strength: float, rng: Rng) -> Points:
    """A Gaussian blur with a radius of BLUR of the shorter side."""
    from PIL import ImageFilter

    return np.asarray(picture.filter(ImageFilter.GaussianBlur(strength * BLUR * min(picture.size))))


def faint(picture: "Image", strength: float, rng: Rng) -> Points:
    """Every point nearer to the mean one, by FAINT of the way."""
    points = np.asarray(picture).astype(np.float32)
    return _bytes(points + strength * FAINT * (points.mean() - points))


def dark(picture: "Image", strength: float, rng: Rng) -> Points:
    """Light that is less by DARK."""
    return _bytes(np.asarray(picture).astype(np.float32) * (1 - DARK * strength))


def jpeg(picture: "Image", strength: float, rng: Rng) -> Points:
    """Compressed with loss, at a quality of 95 to 3."""
    from PIL import Image

    raw = io.BytesIO()
    picture.save(raw, "JPEG", quality=round(95 - 92 * strength))
    return np.asarray(Image.open(raw))


def covered(picture: "Image", strength: float, rng: Rng) -> Points:
    """A grey rectangle over COVERED of the picture, whose middle stays where it is while it grows."""
    points = np.array(picture)
    height, width = points.shape[:2]
    side = (strength * COVERED) ** 0.5
    top, left = (round(float(rng.uniform(0.2, 0.8)) * size) for size in (height, width))
    tall, wide = round(side * height / 2), round(side * width / 2)
    points[max(0, top - tall) : top + tall, max(0, left - wide) : left + wide] = 128
    return points


NOISES: dict[str, Callable[["Image", float, Rng], Points]] = {
    "grain": grain, "blur": blur, "faint": faint, "dark": dark, "jpeg": jpeg, "covered": covered,
}  # fmt: skip


def disturbed(value: Any, noise: str, strength: float, rng: Rng) -> Any:
    """A picture, in any form that is read, with noise: an array (H, W) or (H, W, 3) of bytes; as it came at strength 0."""
    return NOISES[noise](_plain(open_picture(value)), strength, rng) if strength else value


def _plain(picture: "Image") -> "Image":
    return picture if picture.mode in ("L", "RGB") else picture.convert("RGB")


def _bytes(points: NDArray[np.float32]) -> Points:
    return np.clip(points.round(), 0, 255).astype(np.uint8)
