"""Give each point of a picture its label: cells, cracks, roads, tumours.

The net is a U-Net (Ronneberger et al., 2015). It learns from windows of the pictures, some of them put where rare labels are,
by cross-entropy and soft Dice. Pictures come as folders of pictures and masks, as Pascal VOC or nnU-Net, as shapes of COCO,
LabelMe or CVAT, or as a table. What is read is shown before training: the share of each label, and four pictures with their
masks laid over them.

Where the masks tell things apart, as in 16 bits or by polygons, the net learns where two of them touch as a label of its own,
and an answer numbers each thing. Otherwise things are what is connected.

Pictures may be of any size: edges are reflected, large pictures go in tiles that overlap, in training's own measurements as
in every answer. A mask is answered at the picture's own size.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from lamella.data.media.canvas import on_square, upright_size
from lamella.data.media.depths import WHITE, White
from lamella.data.media.frames import note
from lamella.data.media.images import fingerprint, shape_of, white_of
from lamella.data.media.masks import BACKGROUND, IGNORE, MOST_LABELS, Mask, placed, read_mask
from lamella.decode.regions import borders
from lamella.decode.segments import likelihoods, near_odds
from lamella.errors import DataError, UsageError
from lamella.fields import Image
from lamella.fields import Mask as MaskField
from lamella.metrics import masks as measures
from lamella.task import (
    Answer,
    Array,
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
from lamella.tasks.image_segmentation import arrays, results
from lamella.tasks.image_segmentation.config import Config

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

LOOKED_AT = 200  # pictures that tell size and colour of all
LARGEST_CROP = 128  # side of a window where nothing else is asked for
CALIBRATED = 2_000_000  # points of the pictures on which it is learned how things are told apart
EXPLAINED = 128  # side of the picture that is explained
SHOWN = 4  # pictures that are shown with their masks before training

__all__ = ["Config", "ImageSegmentation"]


class FromPictures(Transfer["ImageSegmentation"]):
    """From a net that learned pictures without labels too."""

    begun = msgspec.to_builtins(Config())  # of a net that learned pictures alone no option is taken over

    def adopt(self, task: "ImageSegmentation", other: Task, weights: Arrays) -> Arrays:
        """All of a segmenter; of a net that learned pictures without labels its way down, and the scale of the points."""
        if not other.transfer.headless(other):
            return super().adopt(task, other, weights)
        down = {
            name.removeprefix("net.body.").replace("levels.", "down.", 1): array
            for name, array in weights.items()
            if name.startswith(("net.body.stem.", "net.body.levels."))
        }
        channels = getattr(other, "channels_", 0)
        if not down or channels != task.channels_:
            was = f"one of {channels} channels" if down else "another one"
            raise UsageError(
                f"--init: expected a net of {task.channels_} channels, learned by image-classification with --labels none --net "
                f"pyramid, received {was}."
            )
        task.mean_ = [255 * getattr(other, "mean_", 0.5)] * channels
        task.deviation_ = [255 * getattr(other, "deviation_", 0.25)] * channels
        # The U-Net's first block keeps the side, so it has no shortcut to fill.
        return {name: array for name, array in down.items() if not name.startswith("down.0.0.shortcut.")}


def _hold_out(task: "ImageSegmentation", examples: Sequence[Example], wanted: int, seed: int) -> list[int] | None:
    """Whole groups until there are enough pictures, however large a group is; never more than half of the groups."""
    groups: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        groups.setdefault(str(example.get("group") or ""), []).append(i)
    if len(groups) < 2:
        return None
    held: list[int] = []
    ranked = sorted(groups, key=lambda name: hashlib.blake2b(f"{seed}\x1f{name}".encode(errors="replace")).digest())
    for name in ranked[: len(groups) // 2]:
        if len(held) < wanted:
            held += groups[name]
    return sorted(held)


def _previews(examples: Sequence[Example]) -> dict[str, bytes]:
    """Four pictures with their masks laid over them, so that masks that are misread are seen."""
    return {"overlays.png": results.overlays(examples[:: max(1, len(examples) // SHOWN)][:SHOWN])}


def _write(
    task: "ImageSegmentation", suffix: str, examples: Sequence[Example], answers: Sequence[Answer]
) -> bytes | None:
    from lamella.tasks.image_segmentation import files

    return files.write(suffix, examples, answers, task.labels_)


class ImageSegmentation(Task):
    Config = Config
    fields = {"image": Image("The picture.")}
    answer = MaskField("A mask of labels, and for each label its share, its points and its things.")
    target = "mask"
    metric = "mIoU"
    output = Output(write=_write, note=note)
    transfer = FromPictures()
    training = Training(nets=("cnn",), noun="pictures", batch=8, hold_out=_hold_out, previews=_previews)

    labels_: list[str]
    shares_: list[float]  # of all points, a label each
    things_: bool  # whether the masks tell things apart
    between_: float = 0.0  # how things that touch are told apart, by the border and at necks: see `results.Parting`
    neck_: float = 0.0
    least_: int  # points of a thing, below which it is a splinter of another
    channels_: int
    crop_: int
    mean_: list[float]  # of each channel, 0 to 255
    deviation_: list[float]
    white_: White = WHITE  # the value of white in pictures of 16 bits

    collecting = False  # decode gives how likely labels are instead of answers

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.masks import read_masks

        return read_masks(paths, columns, self.config.group)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.image_segmentation import ground

        return [{"image": picture, "mask": mask} for picture, mask in ground(split)]

    def keys(self, example: Example) -> list[str]:
        group = example.get("group")
        return [fingerprint(example["image"]), *([f"group {group}"] if group else [])]

    def fit(self, examples: Sequence[Example]) -> None:
        counts, areas = survey(examples)
        self.labels_ = [label for label in counts if counts[label]]
        if len(self.labels_) < 2:
            raise DataError(
                f"expected masks of at least two labels, received {len(examples):,} of {', '.join(self.labels_) or 'none'} alone. "
                "Check that the masks are read as they are meant."
            )
        if len(self.labels_) > MOST_LABELS:
            raise DataError(
                f"expected at most {MOST_LABELS} labels, received {len(self.labels_):,}. Join some of them."
            )
        total = sum(counts.values())
        self.shares_ = [round(counts[label] / total, 6) for label in self.labels_]
        self.between_ = self.neck_ = 0.0  # until `calibrate`
        self.things_ = self.config.border > 0 and len(areas) > 0
        # Half of a small thing, such as one in fifty is smaller than: what is below is a splinter of another.
        self.least_ = max(1, int(np.quantile(areas, 0.02) / 2)) if self.things_ else 1
        some = [e["image"] for e in examples[:: max(1, len(examples) // LOOKED_AT)]]
        self.white_ = white_of(some)
        self.channels_ = shape_of(some, white=self.white_)[1]
        short = float(np.median([min(upright_size(picture)) for picture in some]))
        self.crop_ = self.config.crop or int(max(32, min(LARGEST_CROP, short // 16 * 16)))
        points = [arrays.read_points(p, self.channels_, self.config.image_size, self.white_)[0] for p in some]
        sums = np.array([[p.mean(axis=(1, 2)), np.square(p.astype(np.float32)).mean(axis=(1, 2))] for p in points])
        mean, square = sums.mean(axis=0)  # a picture counts once, however large it is
        self.mean_ = [round(float(m), 2) for m in mean]
        self.deviation_ = [round(max(float(d), 1.0), 2) for d in np.sqrt(np.maximum(square - mean**2, 0))]

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        points, size = arrays.read_points(example["image"], self.channels_, self.config.image_size, self.white_)
        sizes = np.array([*points.shape[1:], *size], np.int32)  # height and width for the net, then the picture's own
        return {"pictures": points.ravel(), "sizes": sizes}

    def targets(self, example: Example) -> Arrays:
        mask = self._known(read_mask(example["mask"]))
        height, width = mask.points.shape
        size = arrays.inside(height, width, self.config.image_size)
        labels, things = arrays.nearest(mask.points, *size), mask.things
        if self.things_ and things is not None:
            labels = labels.copy()
            labels[borders(arrays.nearest(things, *size), self.config.border) & (labels != IGNORE)] = len(self.labels_)
        return {"labels": labels.ravel()}

    def _known(self, mask: Mask) -> Mask:
        """A mask by the places of this model's labels. DataError where it has a label that training did not."""
        strange = sorted(present(mask) - set(self.labels_))
        if strange:
            raise DataError(f"expected labels among {', '.join(self.labels_)}, received {', '.join(strange)}.")
        places = np.full(256, IGNORE, np.uint8)
        for i, label in enumerate(mask.labels):
            places[i] = self.labels_.index(label) if label in self.labels_ else IGNORE
        return Mask(places[mask.points], self.labels_, mask.things)

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        """Pictures (B, C, H, W) of mean 0 and deviation 1, zeros at the right and below; labels (B, H, W), IGNORE there."""
        sizes = np.stack([row["sizes"] for row in rows]).astype(np.int64)
        pictures = [
            arrays.standardised(
                row["pictures"].reshape(self.channels_, *map(int, size[:2])), self.mean_, self.deviation_,
                self.config.normalize == "picture",
            )
            for row, size in zip(rows, sizes, strict=True)
        ]  # fmt: skip
        batch = {"pictures": arrays.stacked(pictures, np.float32(0)), "sizes": sizes}
        if "labels" in rows[0]:
            labels = [row["labels"].reshape(1, *map(int, s[:2])) for row, s in zip(rows, sizes, strict=True)]
            batch["labels"] = arrays.stacked(labels, np.uint8(IGNORE))[:, 0].astype(np.int64)
        return batch

    # ---- net ---------------------------------------------------------------------------------------------------

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        import torch

        from lamella.nets.augment import random_light
        from lamella.nets.windows import cut_windows, random_centres, random_matrices

        c, sizes, count = self.config, batch["sizes"][:, :2].cpu(), len(batch["pictures"])
        sought = torch.tensor(self.shares_).clamp(min=1e-6).rsqrt()  # the rarer, the more often
        centres = random_centres(batch["labels"].cpu(), sizes, sought, c.rare, rng)
        matrices = random_matrices(count, rng, c.scale, c.rotate, c.flip)
        pictures, labels = cut_windows(batch["pictures"], batch["labels"], sizes, centres, matrices, self.crop_)
        pictures = random_light(pictures, rng, c.brightness)
        if c.invert:
            signs = torch.where(torch.rand(count, generator=rng) < 0.5, -1.0, 1.0)
            pictures = pictures * signs.to(pictures.device)[:, None, None, None]
        return {**batch, "pictures": pictures, "labels": labels}

    def build(self) -> "nn.Module":
        from lamella.nets.cnn.unet import UNet

        outputs = len(self.labels_) + self.things_
        return UNet(self.channels_, outputs, self.size.width, self.size.depth, self.config.stride)

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from lamella.nets.cnn.unet import segmentation_loss

        return segmentation_loss(outputs["scores"], targets["labels"], IGNORE, self.labels_[0] == BACKGROUND)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        found = self._likelihoods(graphs, inputs)
        return list(found) if self.collecting else [self._answer(likely, size) for likely, size in found]

    def _likelihoods(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> "list[tuple[Array, Array]]":
        """Of each picture how likely each label is at each point (L, h, w), and its own height and width."""
        c = self.config
        flips = (c.flip in ("across", "both", "all"), c.flip in ("down", "both", "all")) if c.mirror else (False, False)
        return [
            (likelihoods(graphs["segment"], picture[:, : size[0], : size[1]], c.tile, *flips), size[2:])
            for picture, size in zip(inputs["pictures"], inputs["sizes"], strict=True)
        ]

    def _answer(self, likely: Array, size: Array) -> Answer:
        least = self.config.least_area or self.least_
        parting = results.Parting(self.between_, self.neck_, least)
        return results.answer(likely, (int(size[0]), int(size[1])), self.labels_, self.things_, parting)

    def calibrate(self, examples: Sequence[Example], run: Run) -> None:
        """How things that touch are told apart best, on pictures that were not learned from."""
        if not self.things_:
            return
        some, points = [], 0
        for example in examples:
            width, height = upright_size(example["image"])
            points += width * height
            if points > CALIBRATED:
                break
            some.append(example)
        wanted = [read_mask(e["mask"]).things for e in some]
        self.collecting = True
        try:
            likely = run(some) if some else []
        finally:
            self.collecting = False
        pictures = [(a, (int(s[0]), int(s[1])), w) for (a, s), w in zip(likely, wanted, strict=True) if w is not None]
        if pictures:
            best = results.learned_parting(pictures, self.labels_, self.least_)
            self.between_, self.neck_, self.least_ = best

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        """The most frequent label everywhere."""
        usual = int(np.argmax(self.shares_))
        likely = np.eye(len(self.labels_), dtype=np.float32)[usual][:, None, None]
        sizes = [np.array(upright_size(e["image"])[::-1]) for e in examples]
        return [self._answer(np.broadcast_to(likely, (len(likely), *size)), size) for size in sizes]

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        answered = [read_mask(a["mask"]) for a in answers]
        wanted = [read_mask(e["mask"]) for e in examples]
        labels = list(dict.fromkeys([*self.labels_, *(label for mask in wanted for label in sorted(present(mask)))]))
        pairs = [(placed(a, labels), placed(w, labels)) for a, w in zip(answered, wanted, strict=True)]
        things = []
        for given, mask in zip(answers, wanted, strict=True):
            found = read_mask(given["things"]).things if "things" in given else None
            if found is not None and mask.things is not None:
                things.append((found, mask.things))
        return measures.segmentation(pairs, labels, BACKGROUND, IGNORE, things if len(things) == len(pairs) else ())

    def excerpt(self, example: Example) -> tuple[Example, str]:
        picture, shown = on_square(example["image"], EXPLAINED, self.channels_, self.white_)
        line = f"the picture is explained at {shown} points, and so is the mask"
        return {**example, "image": picture}, line if shown else ""

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        """Of each label that was answered the mean log-odds where it was; the background counts where nothing else is."""
        mask = read_mask(answer["mask"])
        named = [i for i, label in enumerate(mask.labels) if label in present(mask) and label != BACKGROUND]
        names = [mask.labels[i] for i in named or [0]]
        likely = [one for one, _ in self._likelihoods(graphs, inputs)]
        values = [
            [near_odds(one, self.labels_.index(name), mask.points == mask.labels.index(name)) for name in names]
            for one in likely
        ]
        return Focus("mean log-odds of the labels where they are", np.array(values), names)

    def render(self, answer: Answer) -> str:
        return results.render(answer)


def present(mask: Mask) -> set[str]:
    """The labels that a mask has points of."""
    return {mask.labels[i] for i in np.unique(mask.points) if i < len(mask.labels)}


def survey(examples: Sequence[Example]) -> tuple[dict[str, int], Array]:
    """How many points each label has, the background first and the others as the masks have them, and the points of each thing.

    A mask at a time: all of them may be gigabytes.
    """
    counts: dict[str, int] = {BACKGROUND: 0}
    areas = [np.zeros(0, np.int64)]
    for example in examples:
        mask = read_mask(example["mask"])
        points = np.bincount(mask.points.ravel(), minlength=256).tolist()
        for label, count in zip(mask.labels, points, strict=False):
            counts[label] = counts.get(label, 0) + count
        if mask.things is not None:
            sizes = np.bincount(mask.things.ravel())[1:]
            areas.append(sizes[sizes > 0])
    return counts, np.concatenate(areas)
