"""Measures of boxes: COCO's mean average precision, with the matching of the reference implementation.

`pycocotools` matches answers and objects, picture by picture. That is the slow part and does not depend on how often a
picture counts; so it is done once, and the precision of a resample is computed from the matches (1 to 2 ms a label), the
same sums as COCO's, with 101 levels of recall.
"""

import contextlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamella.errors import MissingExtra
from lamella.metrics.resample import Floats
from lamella.task import Scores

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)
MOST = 100  # boxes of a picture that COCO's AP counts, highest score first


@dataclass(frozen=True)
class Matches:
    """One label's answers in all pictures, highest score first, and which of them match an object."""

    label: str
    picture: NDArray[np.int64]  # (D,) index of each answer's picture
    score: Floats  # (D,)
    right: NDArray[np.bool_]  # (10, D): whether it matches an object, at each overlap
    wanted: Floats  # (N,) number of objects in each picture


def detection(
    answers: Sequence[Any],
    wanted: Sequence[Any],
    labels: Sequence[str],
    thresholds: Mapping[str, float],
    most: int = MOST,
) -> Scores:
    """AP (mean over overlaps of .5 to .95), AP50, AP75; precision and recall at an overlap of .5; all 0 to 1.

    answers: for each picture a list of {"label", "score", "box": [left, top, right, bottom]}; wanted: the same without
    scores. A mean is over the labels that are wanted anywhere. Precision and recall are those of all answers with at
    least the score that `thresholds` has for their label. Raises MissingExtra without pycocotools.

    >>> box = {"label": "a", "box": [0.0, 0.0, 10.0, 10.0]}
    >>> scores = detection([[{**box, "score": 0.9}], []], [[box], [box]], ["a"], {"a": 0.5})
    >>> {name: round(value, 3) for name, value in scores.values.items()}
    {'AP': 0.505, 'AP50': 0.505, 'AP75': 0.505, 'precision': 1.0, 'recall': 0.5}
    """
    _pycocotools()  # a missing library is reported before any work is done
    matches = match(answers, wanted, labels, most)

    sure = [one.score >= thresholds.get(one.label, 0.0) for one in matches]

    def measure(weights: Floats) -> dict[str, float]:
        rows = [average_precision(one, weights) for one in matches if one.wanted @ weights > 0]
        ap = np.array(rows) if rows else np.zeros((1, len(OVERLAPS)))
        hits = sum(
            float(weights[one.picture] @ (one.right[0] & counted)) for one, counted in zip(matches, sure, strict=True)
        )
        given = sum(float(weights[one.picture] @ counted) for one, counted in zip(matches, sure, strict=True))
        objects = sum(float(one.wanted @ weights) for one in matches)
        return {
            "AP": float(ap.mean()),
            "AP50": float(ap[:, 0].mean()),
            "AP75": float(ap[:, 5].mean()),
            "precision": hits / given if given else 0.0,
            "recall": hits / objects if objects else 0.0,
        }

    return Scores(len(wanted), measure, {"AP": f"COCO's, pycocotools {_version()}, at most {most} boxes a picture"})


def match(answers: Sequence[Any], wanted: Sequence[Any], labels: Sequence[str], most: int = MOST) -> list[Matches]:
    """Match answers and objects for each label that occurs among the objects: COCO's greedy matching by score."""
    pictures = range(len(wanted))
    names = [label for label in labels if any(one["label"] == label for boxes in wanted for one in boxes)]
    if not names:
        return []
    numbers = {name: i for i, name in enumerate(names, start=1)}
    evaluated = _evaluated(_dataset(wanted, numbers), _dataset(answers, numbers), most)
    matches = []
    for k in range(len(names)):
        cells = evaluated[k * len(pictures) : (k + 1) * len(pictures)]
        evaluated_pictures = [(i, cell) for i, cell in enumerate(cells) if cell is not None]
        scores = [np.array(cell["dtScores"][:most], np.float64) for _, cell in evaluated_pictures]
        picture = np.concatenate(
            [np.full(len(s), i) for (i, _), s in zip(evaluated_pictures, scores, strict=True)] or [np.zeros(0)]
        )
        right = np.concatenate(
            [cell["dtMatches"][:, :most] > 0 for _, cell in evaluated_pictures] or [np.zeros((10, 0))], axis=1
        )
        objects = np.zeros(len(pictures))
        for i, cell in evaluated_pictures:
            objects[i] = len(cell["gtIds"])
        score = np.concatenate(scores or [np.zeros(0)])
        order = np.argsort(-score, kind="mergesort")
        matches.append(
            Matches(names[k], picture[order].astype(np.int64), score[order], right[:, order].astype(bool), objects)
        )
    return matches


def average_precision(matches: Matches, weights: Floats) -> Floats:
    """Average precision of a label at each overlap, (10,); picture i counts weights[i] times."""
    total = float(matches.wanted @ weights)
    each = weights[matches.picture]  # (D,)
    hits = np.cumsum(matches.right * each, axis=1)  # (10, D)
    all_so_far = np.cumsum(each)
    recall = hits / total
    precision = hits / np.maximum(all_so_far, 1e-12)
    # Precision at a recall is the best at that recall or beyond.
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    ap = np.zeros(len(OVERLAPS))
    for i in range(len(OVERLAPS)):
        places = np.searchsorted(recall[i], RECALLS, side="left")
        ap[i] = best[i, places[places < best.shape[1]]].sum() / len(RECALLS)
    return ap


def by_label(answers: Sequence[Any], wanted: Sequence[Any], labels: Sequence[str]) -> list[dict[str, Any]]:
    """AP and AP50 of each label that occurs, worst first: {"label", "AP", "AP50", "count"}."""
    rows = []
    for one in match(answers, wanted, labels):
        ap = average_precision(one, np.ones(len(wanted)))
        rows.append({"label": one.label, "AP": float(ap.mean()), "AP50": float(ap[0]), "count": int(one.wanted.sum())})
    return sorted(rows, key=lambda row: (row["AP"], row["label"]))


def best_threshold(matches: Matches) -> float:
    """The score threshold of a label with the highest F1 at an overlap of .5.

    It lies halfway to the next lower score, so that rounding does not push the last right answer below it.
    """
    if not len(matches.score):
        return 0.5
    hits = np.cumsum(matches.right[0])
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + matches.wanted.sum())
    at = int(f1.argmax())
    below = matches.score[at + 1] if at + 1 < len(matches.score) else 0.0
    return float((matches.score[at] + below) / 2)


# ---- the reference implementation ----------------------------------------------------------------------------------------


def _pycocotools() -> Any:
    try:
        import pycocotools.coco
        import pycocotools.cocoeval
    except ImportError as error:
        raise MissingExtra("Average precision", "evaluate") from error
    return pycocotools


def _version() -> str:
    from importlib.metadata import version

    return version("pycocotools")


def _dataset(pictures: Sequence[Any], numbers: dict[str, int]) -> dict[str, Any]:
    annotations: list[dict[str, Any]] = []
    for i, boxes in enumerate(pictures):
        for one in boxes:
            if one["label"] in numbers:
                left, top, right, bottom = one["box"]
                box = [left, top, right - left, bottom - top]
                facts = {"id": len(annotations) + 1, "image_id": i, "category_id": numbers[one["label"]], "bbox": box}
                annotations.append({**facts, "area": box[2] * box[3], "iscrowd": 0, "score": one.get("score", 1.0)})
    categories = [{"id": i, "name": name} for name, i in numbers.items()]
    return {"images": [{"id": i} for i in range(len(pictures))], "annotations": annotations, "categories": categories}


def _evaluated(wanted: dict[str, Any], answers: dict[str, Any], most: int) -> list[Any]:
    """COCOeval's matches: by category, then by picture."""
    library = _pycocotools()
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does
        sides = []
        for content in (wanted, answers):
            side = library.coco.COCO()
            side.dataset = content
            side.createIndex()
            sides.append(side)
        run = library.cocoeval.COCOeval(*sides, "bbox")
        run.params.maxDets, run.params.areaRng, run.params.areaRngLbl = [most], [[0, 1e10]], ["all"]
        run.evaluate()
    return list(run.evalImgs)
