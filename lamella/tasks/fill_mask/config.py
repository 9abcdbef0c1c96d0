"""The options of fill-mask."""

from typing import Annotated

import msgspec
from msgspec import Meta

LONGEST = 8  # pieces of a word that is measured
PREDICT = {"when": "predict"}
FILL = {**PREDICT, "asks": ("fill",)}


class Config(msgspec.Struct, kw_only=True):
    vocabulary_size: Annotated[int, Meta(description="Vocabulary size.", ge=100)] = 8000
    window: Annotated[int, Meta(description="Context length of the net, in pieces of words.", ge=8, le=4096)] = 128
    dropout: Annotated[float, Meta(description="Share of activations set to zero in training.", ge=0, lt=1)] = 0.0
    mask_share: Annotated[float, Meta(description="Share of the words masked at first.", gt=0, lt=1)] = 0.3
    last_share: Annotated[float, Meta(description="Share of the words masked at the end.", gt=0, lt=1)] = 0.15
    counts: Annotated[
        int, Meta(description="Most megabytes of counted words and phrases beside the net; 0: none.", ge=0, le=1000)
    ] = 20
    top: Annotated[int, Meta(description="Answers to give, or words to list.", ge=1, le=1000, extra=PREDICT)] = 5
    longest_word: Annotated[
        int,
        Meta(
            description="Most pieces of a word that the net spells; words that were counted may have more.",
            ge=1,
            le=LONGEST,
            extra=FILL,
        ),
    ] = 4
    choices: Annotated[str, Meta(description="Words to choose from, with commas: men,women.", extra=FILL)] = ""
