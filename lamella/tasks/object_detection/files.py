"""Boxes as files: the picture with its boxes, COCO's results, YOLO's lines, all of which label tools open."""

import io
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lamella.data.media.canvas import upright_size
from lamella.data.media.drawing import FORMATS, draw_boxes
from lamella.task import Answer, Example

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same answers give the same bytes


def write(suffix: str, examples: Sequence[Example], answers: Sequence[Answer], labels: Sequence[str]) -> bytes | None:
    """Pictures and their boxes -> the bytes of a file; None where a file with this suffix holds no boxes.

    `.png`, `.jpg`, `.webp`: one picture with its boxes drawn. `.json`: COCO's results. `.txt`: YOLO's lines of one picture.
    `.zip`: YOLO's files of all pictures, with a data.yaml.
    """
    if suffix in FORMATS and len(examples) == 1:
        return draw_boxes(examples[0]["image"], answers[0], labels, suffix)
    if suffix == ".json":
        results = coco_results(examples, answers, labels)
        return ("[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in results) + "\n]\n").encode(
            errors="backslashreplace"
        )
    if suffix == ".txt" and len(examples) == 1:
        return yolo_lines(examples[0], answers[0], labels).encode()
    return _yolo_zip(examples, answers, labels) if suffix == ".zip" else None


def coco_results(examples: Sequence[Example], answers: Sequence[Answer], labels: Sequence[str]) -> list[dict[str, Any]]:
    """COCO's results: one for each box, with the picture's number where its name is one, as in COCO, else its name.

    >>> box = {"label": "cat", "score": 0.9, "box": [1.0, 2.0, 4.0, 8.0]}
    >>> coco_results([{"image": "val/000000139.jpg"}], [[box]], ["cat"])[0]["image_id"]
    139
    """
    results = []
    for name, boxes in zip(_names(examples), answers, strict=True):
        stem = Path(name).stem
        number: int | str = int(stem) if stem.isascii() and stem.isdigit() and len(stem) < 16 else name
        for one in boxes:
            left, top, right, bottom = one["box"]
            sides = [left, top, round(right - left, 3), round(bottom - top, 3)]
            label = {"category_id": labels.index(one["label"]) + 1, "category": one["label"]}
            results.append({"image_id": number, "file_name": name, **label, "bbox": sides, "score": one["score"]})
    return results


def yolo_lines(example: Example, boxes: Answer, labels: Sequence[str]) -> str:
    """YOLO's lines: class, centre and sides as shares of the picture, and the score."""
    width, height = upright_size(example["image"])
    lines = []
    for one in boxes:
        left, top, right, bottom = one["box"]
        shares = (
            (left + right) / 2 / width,
            (top + bottom) / 2 / height,
            (right - left) / width,
            (bottom - top) / height,
        )
        numbers = " ".join(f"{share:.6f}" for share in shares)
        lines.append(f"{labels.index(one['label'])} {numbers} {one['score']:.4f}\n")
    return "".join(lines)


def _yolo_zip(examples: Sequence[Example], answers: Sequence[Answer], labels: Sequence[str]) -> bytes:
    described = "train: images\nval: images\nnames:\n" + "".join(
        f"  {i}: {json.dumps(label, ensure_ascii=False)}\n" for i, label in enumerate(labels)
    )
    files = {"data.yaml": described}
    for name, example, boxes in zip(_names(examples), examples, answers, strict=True):
        files[str(Path("labels", name).with_suffix(".txt"))] = yolo_lines(example, boxes, labels)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, text in files.items():
            archive.writestr(zipfile.ZipInfo(place, EPOCH), text)
    return out.getvalue()


def _names(examples: Sequence[Example]) -> list[str]:
    """The pictures' file names, counted from the folder that they share; a picture that is no file is called one."""
    images = [str(example["image"]) for example in examples if isinstance(example["image"], str | Path)]
    if len(images) < len(examples) or any(len(image) > 1000 or image.startswith("data:") for image in images):
        return [f"picture {i}" for i in range(1, len(examples) + 1)]
    paths = [os.path.abspath(image) for image in images]
    common = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    return [Path(os.path.relpath(path, common)).as_posix() for path in paths]
