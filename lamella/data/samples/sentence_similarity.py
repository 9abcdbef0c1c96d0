"""Pairs of short sentences from a small grammar, graded by how much of their meaning is the same: an offline sample.

"the physician mends an old bicycle in the yard" beside "behind the house a doctor repairs a worn bike" is a 5, though
hardly a word is the same; "the doctor sells an old bicycle" shares nearly all letters and is a 2. Who, what is done, to
what and where count for different shares of the grade, so that what must be learned is which words mean the same.
"""

import random

WHO = [
    ["doctor", "physician", "medic"], ["child", "kid", "youngster"], ["teacher", "instructor", "tutor"],
    ["sailor", "seaman", "mariner"], ["cook", "chef", "kitchen hand"], ["farmer", "grower", "peasant"],
    ["writer", "author", "novelist"], ["thief", "burglar", "robber"], ["woman", "lady", "dame"],
]  # fmt: skip
DOES = [
    ["mends", "repairs", "fixes"], ["buys", "purchases", "acquires"], ["hides", "conceals", "covers up"],
    ["breaks", "smashes", "wrecks"], ["cleans", "washes", "scrubs"], ["sells", "offers for sale", "trades away"],
    ["paints", "draws", "sketches"], ["carries", "hauls", "lugs"],
]  # fmt: skip
WHAT = [
    ["bicycle", "bike", "two-wheeler"], ["sofa", "couch", "settee"], ["boat", "dinghy", "vessel"],
    ["lamp", "light", "lantern"], ["bag", "sack", "satchel"], ["picture", "portrait", "canvas"],
    ["car", "automobile", "sedan"], ["jacket", "coat", "anorak"], ["cup", "mug", "beaker"],
]  # fmt: skip
WHERE = [
    ["in the yard", "behind the house"], ["by the sea", "at the shore"], ["in the city", "downtown"],
    ["before dawn", "early in the morning"], ["at night", "after dark"], ["in the forest", "among the trees"],
]  # fmt: skip
KINDS = ["", "", "old ", "small ", "heavy ", "blue "]
SHAPES = ["{a} {who} {does} {b} {kind}{what} {where}", "{where} {a} {who} {does} {b} {kind}{what}"]
SLOTS = (("who", WHO), ("does", DOES), ("what", WHAT), ("where", WHERE))
SHARES = {"who": 1.0, "does": 1.75, "what": 1.5, "where": 0.75}  # of the grade, 5 in all
KEPT = 0.55  # share of the slots of a sentence that its partner has too
COUNTS = {"train": 1600, "test": 300}


def pairs(split: str) -> list[tuple[str, str, float]]:
    """(sentence, sentence, grade from 0 to 5) of a split, "train" (1,600) or "test" (300); the same at every call.

    >>> pairs("train")[0] == pairs("train")[0], len(pairs("test"))
    (True, 300)
    >>> seen = {text for pair in pairs("train") for text in pair[:2]}
    >>> any(text in seen for pair in pairs("test") for text in pair[:2])
    False
    """
    rng = random.Random(11)
    made: list[tuple[str, str, float]] = []
    seen: set[str] = set()
    while len(made) < sum(COUNTS.values()):
        meaning = {name: rng.randrange(len(words)) for name, words in SLOTS}
        other = {name: meaning[name] if rng.random() < KEPT else rng.randrange(len(words)) for name, words in SLOTS}
        one, two = _sentence(rng, meaning), _sentence(rng, other)
        if one == two or one in seen or two in seen:
            continue
        seen |= {one, two}
        made.append((one, two, sum(share for name, share in SHARES.items() if meaning[name] == other[name])))
    return made[: COUNTS["train"]] if split == "train" else made[COUNTS["train"] :]


def _sentence(rng: random.Random, meaning: dict[str, int]) -> str:
    """One of the ways to say it."""
    words = {name: rng.choice(alternatives[meaning[name]]) for name, alternatives in SLOTS}
    one = "an" if words["who"][0] in "aeiou" else "a"
    text = rng.choice(SHAPES).format(
        a=rng.choice([one, "the"]), b=rng.choice(["the", "some", "this"]), kind=rng.choice(KINDS), **words
    )
    return text[0].upper() + text[1:] + "."
