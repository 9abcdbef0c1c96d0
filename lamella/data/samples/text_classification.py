"""Short product reviews from a small grammar: the offline sample of the text-classification task.

What is judged, how, and in what frame: "the zip is not bad at all", "nice lid, but the hinge broke within a week". The
frame can turn the judgement round (negation) or cancel it (of two clauses joined by "but" the second one counts, as it
mostly does in what people write), so that a net that only counts good and bad words is often wrong. A neutral review
reports and does not judge. No review of the test part stands in the training part.
"""

import random

THINGS = [
    "zip", "lid", "hinge", "handle", "screen", "battery", "strap", "motor", "cable", "manual", "kettle", "lamp",
    "keyboard", "backpack", "tent", "blender", "clock", "bottle", "chair", "speaker",
]  # fmt: skip
GOOD = [
    "good", "great", "lovely", "excellent", "sturdy", "reliable", "wonderful", "handy", "beautiful", "well made",
    "comfortable", "impressive", "superb", "pleasant", "solid",
]  # fmt: skip
BAD = [
    "bad", "poor", "awful", "flimsy", "useless", "terrible", "ugly", "noisy", "badly made", "uncomfortable",
    "disappointing", "dreadful", "unpleasant", "fragile", "annoying",
]  # fmt: skip
PLAIN = [
    "blue", "black", "round", "square", "made of steel", "about a foot long", "the size of a hand", "average",
    "as described", "okay", "neither good nor bad", "the same as the old one", "two years old", "wrapped in paper",
]  # fmt: skip
VERY = ["", "", "", "really ", "very ", "quite ", "so ", "truly "]
NOT = ["not {}", "not {} at all", "hardly {}", "far from {}", "anything but {}", "never {}", "not exactly {}"]
GLAD = ["I love the {}", "would buy the {} again", "the {} works like a dream", "can only recommend the {}"]
SORRY = ["the {} broke within a week", "I sent the {} back", "regret buying the {}", "the {} stopped working"]
SAYS = ["I bought the {} on Monday", "the {} came in a box", "my brother has the same {}", "it has a {}"]
JOINTS = [", but ", "; however, ", ", yet ", ", though I must say "]
ENDS = [".", ".", ".", "!", "", " - "]
STARTS = ["", "", "", "to be honest, ", "after a month: ", "for the price, ", "as a gift: ", "well, "]

LABELS = ("negative", "neutral", "positive")
COUNTS = {"train": 1600, "test": 300}


def reviews(split: str) -> list[tuple[str, str]]:
    """(text, label) of a split, "train" (1,600) or "test" (300); the same at every call, and none in both.

    >>> reviews("train")[0] == reviews("train")[0], len(reviews("test"))
    (True, 300)
    >>> bool({text for text, _ in reviews("train")} & {text for text, _ in reviews("test")})
    False
    """
    chance = random.Random(5)
    found: dict[str, str] = {}  # a dict keeps the order and drops what comes twice
    while len(found) < sum(COUNTS.values()):
        label = chance.choice(LABELS)
        found[_review(chance, label)] = label
    pairs = list(found.items())
    return pairs[: COUNTS["train"]] if split == "train" else pairs[COUNTS["train"] :]


def _review(chance: random.Random, label: str) -> str:
    says = _clause(chance, label)
    if chance.random() < 0.35:  # what stands before the "but" says the opposite and counts for nothing
        before = {"negative": "positive", "positive": "negative", "neutral": "neutral"}[label]
        says = _clause(chance, before) + chance.choice(JOINTS) + says
    elif chance.random() < 0.2:
        says += " and " + _clause(chance, label)
    says = (chance.choice(STARTS) + says + chance.choice(ENDS)).strip(" -")
    return says[0].upper() + says[1:]


def _clause(chance: random.Random, label: str) -> str:
    thing = chance.choice(THINGS)
    if chance.random() < 0.25:
        return chance.choice({"negative": SORRY, "neutral": SAYS, "positive": GLAD}[label]).format(thing)
    if label == "neutral":
        said = chance.choice(PLAIN)
    else:
        turned = chance.random() < 0.4
        said = chance.choice(GOOD if (label == "positive") != turned else BAD)
        said = chance.choice(NOT).format(said) if turned else chance.choice(VERY) + said
    return chance.choice(["the {thing} is {said}", "this {thing} was {said}", "found the {thing} {said}"]).format(
        thing=thing, said=said
    )
