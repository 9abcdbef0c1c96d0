"""Find objects in pictures: a box and a label for each.

The net (Zhou et al., 2019, "Objects as Points") says for each label where centres of objects are, and for each place how
far the sides of its box are away. It has no anchors to choose and learns from a few hundred pictures in minutes, from a
random start. Pictures come as COCO, YOLO, Pascal VOC, CVAT, LabelMe or Label Studio files, or as a table, all with their
boxes; a picture without boxes teaches what is background.

In training each picture is moved, scaled, flipped and lit anew each time, and its boxes with it. Flip down too
(`--flip both`) where up and down mean the same, as under a microscope or from the air.

Answers are boxes [left, top, right, bottom] in pixels of the upright picture. How sure the net must be of a box is
learned for each label after training, from pictures kept aside: where the answers are right and complete most often.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella.data.media.canvas import fit_picture, on_square, upright_size
from lamella.data.media.depths import WHITE, White
from lamella.data.media.frames import note
from lamella.data.media.images import fingerprint, shape_of, white_of
from lamella.decode.boxes import mean_maps, peaks, suppress
from lamella.errors import DataError, UsageError
from lamella.fields import Boxes, Image
from lamella.metrics import boxes as measures
from lamella.task import (
    Answer,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Output,
    Run,
    Scores,
    Task,
    Training,
    Transfer,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

LOOKED_AT = 200  # pictures that tell size and colour of all
LARGEST = 320  # side of the net's picture where nothing else is asked for
MULTIPLE = 16  # the sides are multiples of this
FINE = 16  # parts of a pixel in which boxes are kept: whole numbers stay exact where the net computes in 16 bits
FLOOR = 0.01  # a box below this is none
WHOLE = 0.9  # share of an object that must be left where training moves its picture: one that is cut teaches no score
UNSEEN = 0.3  # the least score of a label that no picture kept aside has
EXPLAINED = 224  # side of the picture that is explained


class Config(msgspec.Struct, kw_only=True):
    elsewhere: ClassVar[Mapping[str, str]] = {
        "labels": "Pictures without boxes are learned from by lamella train image-classification FOLDER --labels none --net pyramid "
        "-o vectors, and this training begins from them with --init vectors."
    }
    image_size: Annotated[
        int,
        Meta(
            description="Longer side that pictures are scaled to; 0: theirs, at most 320.",
            ge=0,
            le=1280,
            multiple_of=32,
        ),
    ] = 0
    flip: Annotated[
        Literal["none", "across", "down", "both"],
        Meta(description="Mirror pictures in training: left and right (across), up and down, or both."),
    ] = "across"
    translate: Annotated[
        float, Meta(description="Share of the side that pictures are moved by in training.", ge=0, lt=1)
    ] = 0.1
    scale: Annotated[float, Meta(description="Share that pictures are scaled by in training.", ge=0, lt=1)] = 0.25
    brightness: Annotated[
        float, Meta(description="Share that brightness and contrast change by in training.", ge=0, lt=1)
    ] = 0.2
    threshold: Annotated[
        float,
        Meta(
            description="Least score of a box in the answer; 0: the one learned for each label.",
            ge=0,
            lt=1,
            extra={"when": "predict"},
        ),
    ] = 0.0
    iou_threshold: Annotated[
        float,
        Meta(
            description="Two boxes of a label that overlap by more than this (intersection over union) are one.",
            gt=0,
            le=1,
            extra={"when": "predict"},
        ),
    ] = 0.6
    max_boxes: Annotated[
        int, Meta(description="Most boxes of an answer.", ge=1, le=1000, extra={"when": "predict"})
    ] = 100
    mirror: Annotated[
        bool,
        Meta(
            description="Answer the picture and its mirror images and take the mean: better, and two to four times slower.",
            extra={"when": "predict"},
        ),
    ] = False


class FromPictures(Transfer["ObjectDetection"]):
    """From a net that learned pictures without labels too."""

    begun = msgspec.to_builtins(Config())  # of a net that learned pictures alone no option is taken over

    def adopt(self, task: "ObjectDetection", other: Task, weights: Arrays) -> Arrays:
        """All of a detector; of a net that learned pictures without labels its body, and the scale of the points."""
        if not other.transfer.headless(other):
            return super().adopt(task, other, weights)
        body = {name.removeprefix("net."): array for name, array in weights.items() if name.startswith("net.body.")}
        channels = getattr(other, "channels_", 0)
        if not body or channels != task.channels_:
            was = f"one of {channels} channels" if body else "another one"
            raise UsageError(
                f"--init: expected a net of {task.channels_} channels, learned by image-classification with --labels none --net "
                f"pyramid, received {was}."
            )
        task.mean_ = [255 * getattr(other, "mean_", 0.5)] * channels
        task.deviation_ = [255 * getattr(other, "deviation_", 0.25)] * channels
        return body


def _write(
    task: "ObjectDetection", suffix: str, examples: Sequence[Example], answers: Sequence[Answer]
) -> bytes | None:
    from lamella.tasks.object_detection import files

    return files.write(suffix, examples, answers, task.labels_)


class ObjectDetection(Task):
    Config = Config
    fields = {"image": Image("Where to look.")}
    answer = Boxes("The objects, each with label, score and box.")
    target = "boxes"
    metric = "AP"
    output = Output(write=_write, note=note)
    transfer = FromPictures()
    # Average precision needs the boxes of which the net is not sure, too.
    training = Training(nets=("cnn",), batch=8, measured={"threshold": FLOOR})

    labels_: list[str]
    channels_: int
    white_: White = WHITE  # the value of white in pictures of 16 bits
    height_: int  # of the net's picture
    width_: int
    mean_: list[float]  # of each channel, 0 to 255
    deviation_: list[float]
    thresholds_: dict[str, float]  # label -> least score

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.boxes import read_boxes

        return read_boxes(paths, columns)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.object_detection import scenes

        return [{"image": picture, "boxes": [dict(box) for box in boxes]} for picture, boxes in scenes(split)]

    def keys(self, example: Example) -> list[str]:
        return [fingerprint(example["image"])]

    def fit(self, examples: Sequence[Example]) -> None:
        self.labels_ = sorted({box["label"] for e in examples for box in e["boxes"]})
        if not self.labels_:
            raise DataError(
                f"expected boxes in some of the {len(examples):,} pictures, received none. Check the labels."
            )
        some = [e["image"] for e in examples[:: max(1, len(examples) // LOOKED_AT)]]
        sizes = np.array([upright_size(picture) for picture in some], np.float64)  # (N, 2): width, height
        side = self.config.image_size or min(LARGEST, up(float(np.median(sizes.max(axis=1))), MULTIPLE))
        ratio = float(np.median(sizes[:, 0] / sizes[:, 1]))
        self.width_, self.height_ = up(side * min(1.0, ratio), MULTIPLE), up(side * min(1.0, 1 / ratio), MULTIPLE)
        self.white_ = white_of(some)
        self.channels_ = shape_of(some, white=self.white_)[1]
        height, width = self.height_, self.width_
        points = np.stack([fit_picture(p, height, width, self.channels_, white=self.white_)[0] for p in some])
        self.mean_ = [round(float(m), 2) for m in points.mean(axis=(0, 2, 3))]
        self.deviation_ = [round(max(float(d), 1.0), 2) for d in points.std(axis=(0, 2, 3))]
        self.thresholds_ = {}

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        grey = round(sum(self.mean_) / len(self.mean_))
        points, scale, width, height = fit_picture(
            example["image"], self.height_, self.width_, self.channels_, grey, self.white_
        )
        return {"pictures": points, "sizes": np.array([width, height, scale], np.float32)}

    def targets(self, example: Example) -> Arrays:
        width, height = upright_size(example["image"])
        scale = min(self.width_ / width, self.height_ / height)  # as `fit_picture` scales it
        boxes = np.array([box["box"] for box in example["boxes"]], np.float64).reshape(-1, 4)
        labels = [self.labels_.index(box["label"]) + 1 for box in example["boxes"]]  # 0 is padding
        return {"boxes": np.rint(boxes * scale * FINE).astype(np.int32), "labels": np.array(labels, np.int32)}

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        """Points are kept in a byte and handed over on a scale of mean 0 and deviation 1."""
        batch = super().collate(rows)
        mean, deviation = (np.array(v, np.float32)[:, None, None] for v in (self.mean_, self.deviation_))
        return {**batch, "pictures": (batch["pictures"].astype(np.float32) - mean) / deviation}

    # ---- net ---------------------------------------------------------------------------------------------------

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        import torch

        from lamella.nets.augment import move_boxes, move_pictures, random_affine, random_light

        c = self.config
        flips = c.flip in ("across", "both"), c.flip in ("down", "both")
        matrices = random_affine(len(batch["pictures"]), rng, c.translate, c.scale, *flips)
        pictures = random_light(move_pictures(batch["pictures"], matrices), rng, c.brightness)
        boxes, inside = move_boxes(batch["boxes"].float() / FINE, matrices, self.height_, self.width_)
        boxes = (boxes * FINE).round().long()
        # Whether people would still mark an object that is cut here is not known: the loss leaves negative labels open.
        labels = batch["labels"] * (inside > 0) * torch.where(inside < WHOLE, -1, 1)
        return {**batch, "pictures": pictures, "boxes": boxes, "labels": labels}

    def build(self) -> "nn.Module":
        from lamella.nets.cnn.centers import CenterNet

        shape = self.channels_, self.height_, self.width_, len(self.labels_)
        return CenterNet(*shape, self.size.width, self.size.depth)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.boxes import box_loss

        point = FINE * self.width_ / outputs["centers"].shape[3]  # of the map, in the parts that boxes are kept in
        return box_loss(outputs, targets["boxes"].float() / point, targets["labels"])

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        c = self.config
        flips = (c.flip in ("across", "both"), c.flip in ("down", "both")) if c.mirror else (False, False)
        maps = mean_maps(graphs["detect"], inputs["pictures"], *flips)
        return [
            self._boxes(centers, sides, *map(float, size))
            for centers, sides, size in zip(*maps, inputs["sizes"], strict=True)
        ]

    def _boxes(self, centers: Any, sides: Any, width: float, height: float, scale: float) -> list[dict[str, Any]]:
        """One picture's maps (L, H, W) and (4, H, W) -> its boxes in pixels of the user's picture, the surest first."""
        c = self.config
        least = [c.threshold or self.thresholds_.get(label, FLOOR) for label in self.labels_]
        boxes, scores, labels = peaks(centers, sides, most=4 * c.max_boxes, least=min(least))
        boxes = boxes * (self.width_ / centers.shape[2] / scale)
        boxes = np.clip(boxes, 0, [width, height, width, height])
        sure = (scores >= np.array(least)[labels]) & (boxes[:, 2:] - boxes[:, :2] > 0.1).all(axis=1)
        boxes, scores, labels = boxes[sure], scores[sure], labels[sure]
        return [
            {
                "label": self.labels_[int(labels[i])],
                "score": round(float(scores[i]), 4),
                "box": [round(float(side), 1) for side in boxes[i]],
            }
            for i in suppress(boxes, labels, c.iou_threshold)[: c.max_boxes]
        ]

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """The least score of each label: where its F1 at an overlap of .5 is highest."""
        self.thresholds_ = {}  # so that all boxes are given
        answers, wanted = run(examples), [e["boxes"] for e in examples]
        best = {one.label: measures.best_threshold(one) for one in measures.match(answers, wanted, self.labels_)}
        self.thresholds_ = {label: round(max(FLOOR, best.get(label, UNSEEN)), 3) for label in self.labels_}

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        wanted = [e["boxes"] for e in examples]
        labels = sorted({*self.labels_, *(box["label"] for boxes in wanted for box in boxes)})
        least = self.thresholds_ or dict.fromkeys(labels, UNSEEN)
        return measures.detection(answers, wanted, labels, least)

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """In every picture what is most usual: one box of each label, where such boxes are on average."""
        boxes = [box for e in learn for box in e["boxes"]]
        usual = [
            {
                "label": label,
                "score": round(count / len(boxes), 4),
                "box": np.median([b["box"] for b in boxes if b["label"] == label], axis=0).round(1).tolist(),
            }
            for label, count in Counter(b["label"] for b in boxes).most_common()
        ]
        return [usual] * len(examples)

    def excerpt(self, example: Example) -> tuple[Example, str]:
        picture, shown = on_square(example["image"], EXPLAINED, self.channels_, self.white_)
        line = f"the picture is explained at {shown} pixels, and so are the boxes"
        return {**example, "image": picture}, line if shown else ""

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """For each box the log-odds of its centre, the highest near the middle of the box; without boxes the highest of all."""
        centers = graphs["detect"](pictures=inputs["pictures"])["centers"]  # (B, L, H, W)
        if not answer:
            return Focus("log-odds of the likeliest object", centers.max(axis=(1, 2, 3)))
        scale = float(inputs["sizes"][0, 2]) * centers.shape[3] / self.width_  # points of the map to a pixel
        values, names = [], []
        for box in answer:
            left, top, right, bottom = (side * scale for side in box["box"])
            near = [
                (low + (high - low) * share) for low, high in ((left, right), (top, bottom)) for share in (0.3, 0.7)
            ]
            (x0, x1), (y0, y1) = (
                (min(max(0, int(a)), size - 1), min(size, int(b) + 1))
                for a, b, size in ((*near[:2], centers.shape[3]), (*near[2:], centers.shape[2]))
            )
            part = centers[:, self.labels_.index(box["label"]), y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
            values.append(part.max(axis=(1, 2)))
            names.append(f"{box['label']} at {round(box['box'][0])}, {round(box['box'][1])}")
        return Focus("log-odds of the boxes together", np.stack(values, axis=1), names)

    def render(self, answer: Answer) -> str:
        if not answer:
            return "nothing"
        return "; ".join(f"{b['label']} {b['score']:.2f} at {', '.join(f'{s:g}' for s in b['box'])}" for b in answer)


def up(value: float, multiple: int) -> int:
    """The next multiple, at least one.

    >>> up(240, 16), up(241, 16)
    (240, 256)
    """
    return max(multiple, -int(-value // multiple) * multiple)
