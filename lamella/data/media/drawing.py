"""Draw boxes on a picture."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from lamella.data.media.images import open_picture

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
# Told apart by most people who see colours differently, on light and dark pictures (Okabe and Ito, 2008).
COLOURS = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7")


def draw_boxes(value: Any, boxes: Sequence[Mapping[str, Any]], labels: Sequence[str], suffix: str) -> bytes:
    """Draw a frame, label and score for each box on a picture -> the bytes of a file with this suffix.

    boxes: {"label", "box": [left, top, right, bottom], "score"?} in pixels of the upright picture; a label has the same
    colour in every picture.
    """
    from PIL import ImageDraw, ImageFont

    picture = open_picture(value).convert("RGB")
    pen = ImageDraw.Draw(picture)
    line = max(1, round(max(picture.size) / 320))
    font = ImageFont.load_default(size=max(10, round(max(picture.size) / 45)))
    for one in reversed(boxes):  # the highest score is drawn last, above all others
        colour = COLOURS[labels.index(one["label"]) % len(COLOURS)] if one["label"] in labels else "#ffffff"
        left, top, right, bottom = one["box"]
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour, width=line)
        words = one["label"] + (f" {one['score']:.2f}" if "score" in one else "")
        width, height = pen.textbbox((0, 0), words, font=font)[2:]
        at = min(left, max(0, picture.width - width)), top - height if top >= height else top
        pen.rectangle((at[0], at[1], at[0] + width, at[1] + height), fill=colour)
        pen.text(at, words, fill="black", font=font)
    out = io.BytesIO()
    picture.save(out, FORMATS[suffix], **({"quality": 92} if suffix != ".png" else {}))
    return out.getvalue()
