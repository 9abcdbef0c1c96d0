"""The options of recommendation."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PREDICT = {"when": "predict"}


class Config(msgspec.Struct, kw_only=True):
    split: Annotated[
        Literal["last", "time"],
        Meta(description="What is held out: the last choice of each history, or all choices after a point in time."),
    ] = "last"
    min_rating: Annotated[
        float, Meta(description="Lowest rating that counts as liked; 0: every rating; -1: chosen by the scale.", ge=-1)
    ] = -1.0
    window: Annotated[int, Meta(description="Latest items of a history that the net reads.", ge=2, le=1000)] = 50
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.3
    item_dropout: Annotated[
        float, Meta(description="Share of items known by their words alone in training.", ge=0, lt=1)
    ] = 0.1
    repeats: Annotated[
        Literal["learned", "yes", "no"],
        Meta(description="Recommend what was chosen already; learned: where the data do so.", extra=PREDICT),
    ] = "learned"
    top: Annotated[int, Meta(description="Items to recommend.", ge=1, le=1000, extra=PREDICT)] = 10
    because: Annotated[
        int, Meta(description="Items of the history to name as reasons of each.", ge=0, le=20, extra=PREDICT)
    ] = 0
