"""Readers of masks on odd bytes: masks as pictures, shapes of COCO, LabelMe and CVAT, tables of colours."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np

WIDE, TALL = 8, 6


def _png(points: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(points).save(out, "PNG")
    return out.getvalue()


def _checked(examples: list[dict[str, str]]) -> None:
    from lamella.data.media.masks import read_mask

    for example in examples:
        mask = read_mask(example["mask"])
        assert mask.points.shape == (TALL, WIDE)
        assert mask.things is None or mask.things.min() >= 0


def read_mask_file(path: Path) -> None:
    """A mask beside the picture that it is of; and by itself."""
    from lamella.data.media.masks import encode_mask, read_mask
    from lamella.data.readers.masks import read_masks

    mask = read_mask(path)
    again = read_mask(encode_mask(mask.points, mask.labels, mask.things))
    assert again.labels == mask.labels and np.array_equal(again.points, mask.points)
    (path.parent / "images").mkdir(exist_ok=True)
    (path.parent / "masks").mkdir(exist_ok=True)
    (path.parent / "images" / "a.png").write_bytes(_png(np.zeros((TALL, WIDE, 3), np.uint8)))
    (path.parent / "masks" / "a.png").write_bytes(path.read_bytes())
    _checked(read_masks([path.parent / "images"])[0])


def read_shapes(path: Path) -> None:
    from lamella.data.readers.masks import read_masks

    path.with_name("picture.png").write_bytes(_png(np.zeros((TALL, WIDE, 3), np.uint8)))
    _checked(read_masks([path])[0])


def read_legend(path: Path) -> None:
    """A table of colours; the first colour of it is that of a mask."""
    from lamella.data.readers.mask_folders import find_legend
    from lamella.data.readers.masks import read_masks

    for folder in ("images", "masks"):
        (path.parent / folder).mkdir(exist_ok=True)
        (path.parent / folder / "a.png").write_bytes(_png(np.full((TALL, WIDE, 3), 7, np.uint8)))
    (path.parent / "masks" / "labelmap.txt").write_bytes(path.read_bytes())
    find_legend([path.parent / "masks"])
    _checked(read_masks([path.parent])[0])


def masks() -> list[bytes]:
    """Masks with a palette, of 8 and of 16 bits, with names and things."""
    from lamella.data.media.masks import encode_mask

    points = np.arange(TALL * WIDE).reshape(TALL, WIDE) % 3
    uris = [encode_mask(points.astype(np.uint8), ["a", "b", "c"])]
    uris.append(encode_mask((points > 0).astype(np.uint8), ["background", "cell"], points))
    raw = [base64.b64decode(uri.partition(",")[2]) for uri in uris]
    return [*raw, _png(points.astype(np.uint8)), _png((points * 300).astype(np.uint16))]


def shapes(suffix: str) -> list[bytes]:
    """`picture.png` with shapes as COCO, LabelMe or CVAT has them."""
    size = f'"width": {WIDE}, "height": {TALL}'
    runs = f'{{"size": [{TALL}, {WIDE}], "counts": [3, 5, 40]}}'
    coco = (
        f'{{"images": [{{"id": 1, "file_name": "picture.png", {size}}}], "categories": [{{"id": 1, "name": "cat"}}], "annotations": '
        f'[{{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[1, 1, 5, 1, 5, 5]]}}, '
        f'{{"id": 2, "image_id": 1, "category_id": 1, "iscrowd": 1, "segmentation": {runs}}}]}}'
    )
    labelme = (
        f'{{"imagePath": "picture.png", "imageWidth": {WIDE}, "imageHeight": {TALL}, "shapes": [{{"label": "cat", "shape_type": '
        '"polygon", "points": [[1, 1], [5, 1], [5, 5]]}, {"label": "dog", "shape_type": "circle", "points": [[3, 3], [4, 3]]}]}'
    )
    cvat = (
        f'<annotations><image name="picture.png" width="{WIDE}" height="{TALL}"><polygon label="cat" points="1,1;5,1;5,5"/>'
        '<mask label="dog" left="1" top="1" width="2" height="2" rle="1, 2, 1"/>'
        '<ellipse label="cat" cx="3" cy="3" rx="2" ry="1"/></image></annotations>'
    )
    return {".json": [coco.encode(), labelme.encode()], ".xml": [cvat.encode()]}[suffix]


def legends() -> list[bytes]:
    return [b"# label:color_rgb:parts:actions\nbackground:0,0,0::\ncat:7,7,7::\n", b"7 7 7\tcat\n0 0 0\tvoid\n"]
