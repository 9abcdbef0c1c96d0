"""The options of image segmentation."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

import msgspec
from msgspec import Meta


class Config(msgspec.Struct, kw_only=True):
    elsewhere: ClassVar[Mapping[str, str]] = {
        "labels": "Pictures without masks are learned from by lamella train image-classification FOLDER --labels none --net pyramid "
        "-o vectors, and this training begins from them with --init vectors."
    }
    image_size: Annotated[
        int, Meta(description="Longer side that larger pictures are scaled down to before the net.", ge=64, le=4096)
    ] = 1024
    crop: Annotated[
        int,
        Meta(
            description="Side of the windows that are learned from; 0: by the pictures' size, at most 128.",
            ge=0,
            le=1024,
            multiple_of=16,
        ),
    ] = 0
    stride: Annotated[
        Literal[1, 2],
        Meta(
            description="Where the net begins: 1 sees single points, 2 is twice as fast and enough for most pictures."
        ),
    ] = 2
    border: Annotated[
        int,
        Meta(
            description="Points on each side of where two things touch that are learned as a border; 0: none.",
            ge=0,
            le=8,
        ),
    ] = 1
    rare: Annotated[float, Meta(description="Share of the windows that are put where a rare label is.", ge=0, le=1)] = (
        0.33
    )
    normalize: Annotated[
        Literal["picture", "data"],
        Meta(
            description="Whose mean and deviation become 0 and 1: each picture's own, or those of all training pictures."
        ),
    ] = "picture"
    flip: Annotated[
        Literal["none", "across", "down", "both", "all"],
        Meta(
            description="Mirror pictures in training: left and right (across), up and down, both, or all with quarter turns."
        ),
    ] = "across"
    rotate: Annotated[float, Meta(description="Rotate by up to this many degrees in training.", ge=0, le=180)] = 10.0
    scale: Annotated[float, Meta(description="Scale by up to this share in training.", ge=0, lt=1)] = 0.25
    brightness: Annotated[
        float, Meta(description="Share that brightness and contrast change by in training.", ge=0, lt=1)
    ] = 0.2
    invert: Annotated[
        bool,
        Meta(description="Turn half of the pictures into negatives in training, as for microscopes of both kinds."),
    ] = False
    group: Annotated[
        str,
        Meta(
            description='What never stands on both sides of a split: "folder", or an expression such as (patient\\d+) found in paths.'
        ),
    ] = ""
    tile: Annotated[
        int,
        Meta(
            description="Side above which a picture is answered in overlapping tiles.",
            ge=64,
            le=2048,
            multiple_of=16,
            extra={"when": "predict"},
        ),
    ] = 512
    mirror: Annotated[
        bool,
        Meta(
            description="Answer the picture and its mirror images and take the mean: better, and slower.",
            extra={"when": "predict"},
        ),
    ] = False
    least_area: Annotated[
        int,
        Meta(
            description="Points that a thing must have; 0: half of a small one of the training masks.",
            ge=0,
            extra={"when": "predict"},
        ),
    ] = 0
