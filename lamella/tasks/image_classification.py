"""Classify pictures by label: digits, parts, plants, defects.

There are two nets, chosen with `--net`. The residual CNN (He et al., 2016) applies small filters to the picture, then to
their output, at three resolutions; that neighbours belong together and that an object may be anywhere is built in, so it
learns from few pictures. The vision Transformer (Dosovitskiy et al., 2021) has to learn both from the data, and is better
when there are very many pictures.

Data augmentation: in training each picture is translated, rotated and scaled at random (`--translate`, `--rotate`,
`--scale`, and `--flip` if left and right mean the same). With a few thousand pictures that is worth more than a larger
net. Pictures come as a folder with one subfolder a class, or as a table of path and label; size and colour are detected.

Where few pictures have labels and many have none, the net can learn from all of them first: `--labels none` trains it
without labels (two views that agree for the CNN, hidden patches for the Transformer), and its answer is a vector.

    lamella train image-classification all/ --labels none -o vectors --minutes 20
    lamella train image-classification few/ --init vectors -o classifier
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from lamella import metrics
from lamella.data.media.depths import WHITE, White
from lamella.data.media.frames import note
from lamella.data.media.images import even, fingerprint, read_image, shape_of, white_of
from lamella.data.text.encoding import quote_all
from lamella.decode.likelihood import log_odds
from lamella.errors import DataError, UsageError
from lamella.fields import Image, Label, Vector
from lamella.task import (
    Answer,
    Arrays,
    Choice,
    Example,
    Focus,
    GraphLike,
    Output,
    Scores,
    Size,
    Task,
    Training,
    Transfer,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

LANES = 16  # channels that processors compute together
LIGHT = 0.4  # share by which brightness and contrast of a view change
LOOKED_AT = 200  # pictures from which size and channels are detected
CAPTIONED, PATCHES = (
    112,
    16,
)  # of the encoder of captions: the largest side that is detected, and what sides are multiples of


class Config(msgspec.Struct, kw_only=True):
    net: Annotated[
        Literal["cnn", "transformer", "pyramid", "captions"],
        Meta(description="Family of the net; pyramid: the CNN of detection; captions: the encoder of image-to-text."),
    ] = "cnn"
    image_size: Annotated[
        int, Meta(description="Side that pictures are scaled to; 0: detected.", ge=0, le=256, multiple_of=4)
    ] = 0
    translate: Annotated[
        float,
        Meta(description="Translate by up to this share of the side in training.", ge=0, lt=1, extra={"was": "shift"}),
    ] = 0.07
    rotate: Annotated[
        float, Meta(description="Rotate by up to this many degrees in training.", ge=0, le=180, extra={"was": "turn"})
    ] = 10.0
    scale: Annotated[
        float, Meta(description="Scale by up to this share in training.", ge=0, lt=1, extra={"was": "zoom"})
    ] = 0.1
    flip: Annotated[
        bool, Meta(description="Flip half of the pictures left to right in training.", extra={"was": "mirror"})
    ] = False
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.2
    labels: Annotated[
        Literal["found", "none"], Meta(description="none: learn without labels, for a later training to begin from.")
    ] = "found"
    label_smoothing: Annotated[float, Meta(description="Label smoothing.", ge=0, lt=1, extra={"was": "smoothing"})] = (
        0.05
    )


class FromPictures(Transfer["ImageClassification"]):
    """From a net that learned pictures without labels, with --labels none, too."""

    begun = {"labels": "found"}

    def adopt(self, task: "ImageClassification", other: Task, weights: Arrays) -> Arrays:
        """All of a classifier; of a net that learned without labels what lies before the labels, with its side and scale."""
        if not other.transfer.headless(other) or self.headless(task):
            return super().adopt(task, other, weights)
        for name in ("side_", "channels_", "mean_", "deviation_", "white_", "first_"):
            setattr(task, name, getattr(other, name))
        if task.config.image_size not in (0, task.side_):
            raise UsageError(
                f"--image-size {task.config.image_size}: the model to begin from reads pictures of {task.side_}. Leave it out."
            )
        own = {name.removeprefix("net."): array for name, array in weights.items() if name.startswith("net.")}
        return {name: array for name, array in own.items() if not name.startswith("out.")}

    def headless(self, task: "ImageClassification") -> bool:
        return task.unlabelled


class ImageClassification(Task):
    fields = {"image": Image("The picture to classify.")}
    answer = Label("The most likely label, and the probability of each.")
    target = "label"
    metric = "accuracy"
    transfer = FromPictures()
    output = Output(note=note)
    training = Training(nets=("cnn", "transformer"), batch=64)

    labels_: list[str]
    side_: int
    channels_: int
    mean_: float  # of all pixels, on a scale of 0 to 1
    deviation_: float
    white_: White = WHITE  # the value of white in pictures of 16 bits
    first_: int = 0  # channels of the CNN's first stage; 0: a quarter of the width, as in an earlier version

    def __init__(self, config: Any = None, size: str = "small") -> None:
        super().__init__(config, size)
        self.unlabelled: bool = self.config.labels == "none"
        if self.unlabelled:
            vars(self).update(answer=Vector("The picture as a vector of length 1."), target="image", metric="rank")

    # ---- data --------------------------------------------------------------------------------------------------

    def read(self, paths: Sequence[str], columns: Choice = None) -> tuple[list[Example], list[str]]:
        from lamella.data.readers.image_folders import image_folder
        from lamella.data.readers.pictures import read_pictures

        return read_pictures(paths, columns) if self.unlabelled else image_folder(paths, columns)

    def sample(self, split: str) -> list[Example]:
        from lamella.data.samples.image_classification import drawings

        return [{"image": picture, "label": label} for picture, label in drawings(split)]

    def keys(self, example: Example) -> list[str]:
        return [fingerprint(example["image"])]

    def fit(self, examples: Sequence[Example]) -> None:
        self.labels_ = [] if self.unlabelled else sorted({e["label"] for e in examples})
        if len(self.labels_) < 2 and not self.unlabelled:
            raise DataError(
                f"expected pictures of at least two classes, received {len(examples):,} of one, {quote_all(self.labels_)}. Put "
                "them into one folder a class, or say in a table beside them which is of which (labels.csv: file,label), or "
                "learn from them without labels: --labels none"
            )
        pictures = [e["image"] for e in examples[:: max(1, len(examples) // LOOKED_AT)]]
        self.white_ = white_of(pictures)
        self.first_ = _first(self.size)
        captions = self.config.net == "captions"
        side, self.channels_ = shape_of(pictures, largest=CAPTIONED if captions else 64, white=self.white_)
        self.side_ = self.config.image_size or side
        if captions and self.side_ % PATCHES:
            if self.config.image_size:
                raise UsageError(
                    f"--image-size {self.side_}: expected a multiple of {PATCHES} with --net captions, whose patches are of as many points."
                )
            self.side_ += PATCHES - self.side_ % PATCHES
        points = np.stack([read_image(picture, self.side_, self.channels_, self.white_) for picture in pictures]) / 255
        self.mean_, self.deviation_ = float(points.mean()), float(max(points.std(), 0.01))

    # ---- arrays ------------------------------------------------------------------------------------------------

    def inputs(self, example: Example) -> Arrays:
        return {"pictures": read_image(example["image"], self.side_, self.channels_, self.white_)}

    def targets(self, example: Example) -> Arrays:
        if self.unlabelled:
            return {}
        if example["label"] not in self.labels_:
            raise DataError(f"expected a label among {', '.join(self.labels_)}, received {example['label']!r}.")
        return {"label": np.array(self.labels_.index(example["label"]))}

    def collate(self, rows: Sequence[Arrays]) -> Arrays:
        """Pixels are stored as bytes and standardised here to mean 0 and standard deviation 1."""
        batch = super().collate(rows)
        points = batch["pictures"].astype(np.float32)
        points -= np.float32(255 * self.mean_)
        points /= np.float32(255 * self.deviation_)
        return {**batch, "pictures": points}

    # ---- net ---------------------------------------------------------------------------------------------------

    def augment(self, batch: "dict[str, Tensor]", rng: "Generator") -> "dict[str, Tensor]":
        import torch

        from lamella.nets.augment import move_pictures, random_affine, random_light

        c, pictures = self.config, batch["pictures"]
        if self.unlabelled and c.net != "transformer":
            # Two views of each, changed more than a label would survive: what they share is what the net should see.
            pictures = random_light(torch.cat([pictures, pictures]), rng, LIGHT)
            matrices = random_affine(len(pictures), rng, 2 * c.translate, 3 * c.scale, c.flip, rotate=1.5 * c.rotate)
        else:
            matrices = random_affine(len(pictures), rng, c.translate, c.scale, c.flip, rotate=c.rotate)
        return {**batch, "pictures": move_pictures(pictures, matrices, "border")}

    def build(self) -> "nn.Module":
        from lamella.nets import pretraining

        c, size = self.config, self.size
        own = size.width, size.depth
        shape = self.channels_, self.side_, max(1, len(self.labels_))
        if c.net != "transformer":
            from lamella.nets.cnn.image import ImageCNN
            from lamella.nets.cnn.pyramid import PyramidCNN
            from lamella.nets.transformer.patch_classifier import PatchClassifier

            net: ImageCNN | PyramidCNN | PatchClassifier
            if c.net == "captions":
                net = PatchClassifier(*shape, *own, size.heads, c.dropout)
            else:
                net = (
                    PyramidCNN(*shape, *own, c.dropout)
                    if c.net == "pyramid"
                    else ImageCNN(*shape, *own, c.dropout, self.first_)
                )
            return pretraining.Views(net) if self.unlabelled else net
        from lamella.nets.transformer.classifiers import ImageTransformer

        patch = 8 if self.side_ > 40 and self.side_ % 8 == 0 else 4
        transformer = ImageTransformer(*shape[:2], patch, shape[2], *own, size.heads, c.dropout)
        return pretraining.Patches(transformer, size.width) if self.unlabelled else transformer

    def loss(self, outputs: "dict[str, Tensor]", targets: "dict[str, Tensor]") -> "Tensor":
        from torch.nn import functional as F

        from lamella.nets import pretraining

        if "one" in outputs:
            return pretraining.vicreg(outputs["one"], outputs["other"])
        if "made" in outputs:
            return pretraining.painting_error(outputs["made"], outputs["wanted"], outputs["hidden"])
        return F.cross_entropy(outputs["scores"], targets["label"], label_smoothing=self.config.label_smoothing)

    # ---- answers -----------------------------------------------------------------------------------------------

    def decode(self, graphs: Mapping[str, GraphLike], inputs: Arrays) -> list[Answer]:
        if self.unlabelled:
            return [row.round(5).tolist() for row in graphs["embed"](**inputs)["vector"].astype(float)]
        scores = graphs["classify"](pictures=inputs["pictures"])["scores"]  # (B, L)
        likely = np.exp(scores - scores.max(axis=1, keepdims=True))
        likely /= likely.sum(axis=1, keepdims=True)
        return [
            {
                "label": self.labels_[best],
                "probabilities": {k: round(p, 3) for k, p in zip(self.labels_, row, strict=True)},
            }
            for best, row in zip(likely.argmax(axis=1).tolist(), likely.tolist(), strict=True)
        ]

    def excerpt(self, example: Example) -> tuple[Example, str]:
        """Explanations change a picture, and do not know what is white in those of more than 8 bits."""
        return {**example, "image": even(example["image"], self.white_)}, ""

    def focus(self, graphs: Mapping[str, GraphLike], inputs: Arrays, answer: Answer) -> Focus:
        if self.unlabelled:
            return Focus("cosine with the vector", graphs["embed"](**inputs)["vector"] @ np.array(answer, np.float32))
        scores = graphs["classify"](pictures=inputs["pictures"])["scores"]
        return Focus(f"log-odds of {answer['label']}", log_odds(scores, self.labels_.index(answer["label"])))

    def trivial(self, learn: Sequence[Example], examples: Sequence[Example]) -> list[Answer]:
        if self.unlabelled:  # all pictures alike
            return [[1.0] * self.size.width] * len(examples)
        return metrics.most_frequent([e["label"] for e in learn], len(examples))

    def score(self, answers: Sequence[Answer], examples: Sequence[Example]) -> Scores:
        if self.unlabelled:
            return metrics.embeddings(np.array(answers), [str(e.get("label", "")) for e in examples])
        labels = sorted({*self.labels_, *(e["label"] for e in examples)})
        return metrics.classification([a["label"] for a in answers], [e["label"] for e in examples], labels)

    def render(self, answer: Answer) -> str:
        if self.unlabelled:
            return super().render(answer)
        return f"{answer['label']} {answer['probabilities'][answer['label']]:.2f}"


def _first(size: Size) -> int:
    """Channels of the first stage of the CNN of a size; 0: a quarter of the width.

    Where that stage has blocks, from a depth of 3 on, they see every point of a picture and take nearly half of the time, with a tenth
    of the weights: with a sixth of the width the net takes three quarters of the time, and sorts as well.
    """
    return max(LANES, round(size.width / 6 / LANES) * LANES) if size.depth >= 3 else 0
