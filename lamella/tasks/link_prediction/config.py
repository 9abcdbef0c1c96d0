"""The options of link prediction."""

from typing import Annotated

import msgspec
from msgspec import Meta

from lamella.tasks.link_prediction.rules import LONGEST

LATER = {"when": "predict"}


class Config(msgspec.Struct, kw_only=True):
    n3: Annotated[float, Meta(description="Weight of the N3 penalty; 0: found by a short search.", ge=0)] = 0.0
    dropout: Annotated[
        float,
        Meta(
            description="Share of numbers set to zero in training; -1: .2, of more than a thousand entities 0.",
            ge=-1,
            lt=1,
        ),
    ] = -1.0
    members: Annotated[
        int,
        Meta(
            description="Nets whose scores are averaged: each takes as long as one, and together they are surer.",
            ge=1,
            le=16,
        ),
    ] = 1
    rules: Annotated[
        int,
        Meta(
            description="Most rules of a relation, and as many of more than three facts; 0: the net alone.",
            ge=0,
            le=1000,
        ),
    ] = 40
    rule_length: Annotated[
        int,
        Meta(
            description="Most facts of a rule's body; 0: 3, of a large graph whose entities have few facts 5.",
            ge=0,
            le=LONGEST,
        ),
    ] = 0
    support: Annotated[int, Meta(description="Facts that a rule must predict to be kept.", ge=1)] = 2
    top: Annotated[int, Meta(description="Answers to give, the first counted in.", ge=1, le=1000, extra=LATER)] = 5
    facts: Annotated[
        str, Meta(description="Facts to add before answering: head | relation | tail; several with a ;.", extra=LATER)
    ] = ""
    facts_file: Annotated[
        str, Meta(description="The same from a file of facts, such as a .tsv.", extra={**LATER, "holds": "file"})
    ] = ""
    ranks: Annotated[
        bool,
        Meta(
            description="Of rows that have their tail: its rank, and that of the head.",
            extra=LATER | {"asks": ("tail",)},
        ),
    ] = False
