"""Masks as files: the mask itself, the picture with it laid over, all masks in one archive, COCO's results."""

import base64
import io
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lamella.data.media.drawing import FORMATS
from lamella.data.media.masks import overlay, read_mask
from lamella.decode.regions import connected
from lamella.task import Answer, Example

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same answers give the same bytes


def write(suffix: str, examples: Sequence[Example], answers: Sequence[Answer], labels: Sequence[str]) -> bytes | None:
    """Pictures and their answers -> the bytes of a file; None where a file with this suffix holds no masks.

    `.png`: the mask of one picture. `.jpg`, `.webp`: one picture with its mask laid over it. `.zip`: the masks of all
    pictures by the pictures' names, things apart in things/. `.json`: COCO's results, a thing each, as plain RLE.
    """
    if suffix == ".png" and len(examples) == 1:
        return _raw(answers[0]["mask"])
    if suffix in FORMATS and len(examples) == 1:
        from PIL import Image

        out = io.BytesIO()
        laid = overlay(examples[0]["image"], read_mask(answers[0]["mask"]))
        Image.fromarray(laid).save(out, FORMATS[suffix], quality=92)
        return out.getvalue()
    if suffix == ".json":
        lines = [json.dumps(one, ensure_ascii=False) for one in coco_results(examples, answers, labels)]
        return ("[\n" + ",\n".join(lines) + "\n]\n").encode(errors="backslashreplace")
    return _zip(examples, answers, labels) if suffix == ".zip" else None


def coco_results(examples: Sequence[Example], answers: Sequence[Answer], labels: Sequence[str]) -> list[dict[str, Any]]:
    """COCO's results: one for each thing, with its mask as RLE, its box and its points."""
    results = []
    for name, found in zip(_names(examples), answers, strict=True):
        mask = read_mask(found.get("things", found["mask"]))
        things = mask.things if mask.things is not None else connected(mask.points)[0]
        for number in range(1, int(things.max(initial=0)) + 1):
            area = things == number
            rows, columns = np.flatnonzero(area.any(axis=1)), np.flatnonzero(area.any(axis=0))
            if not len(rows):
                continue
            label = mask.labels[int(mask.points[area][0])]
            box = [int(columns[0]), int(rows[0]), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1]
            segmentation = {"size": list(area.shape), "counts": _runs(area.T.ravel())}
            facts = {"file_name": name, "category_id": labels.index(label), "category": label, "bbox": box}
            results.append({**facts, "area": int(area.sum()), "segmentation": segmentation})
    return results


def _runs(flat: "np.ndarray[Any, Any]") -> list[int]:
    """How long each run is, the first being of zeros.

    >>> _runs(np.array([True, True, False]))
    [0, 2, 1]
    """
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges.tolist(), len(flat)]).tolist()
    return [0, *counts] if flat[0] else counts


def _zip(examples: Sequence[Example], answers: Sequence[Answer], labels: Sequence[str]) -> bytes:
    files = {"labels.txt": "".join(label + "\n" for label in labels).encode()}
    for name, found in zip(_names(examples), answers, strict=True):
        place = Path(name).with_suffix(".png")
        files[str(Path("masks", place))] = _raw(found["mask"])
        if "things" in found:
            files[str(Path("things", place))] = _raw(found["things"])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for file, raw in files.items():
            archive.writestr(zipfile.ZipInfo(file, EPOCH), raw)
    return out.getvalue()


def _raw(uri: str) -> bytes:
    return base64.b64decode(uri.partition(",")[2])


def _names(examples: Sequence[Example]) -> list[str]:
    """The pictures' file names, counted from the folder that they share; a picture that is no file is called one."""
    images = [str(e["image"]) for e in examples if isinstance(e["image"], str | Path)]
    if len(images) < len(examples) or any(len(image) > 1000 or image.startswith("data:") for image in images):
        return [f"picture {i}" for i in range(1, len(examples) + 1)]
    paths = [os.path.abspath(image) for image in images]
    common = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else ""
    return [Path(os.path.relpath(path, common)).as_posix() for path in paths]
