"""Short tales from a small grammar: the offline sample of the text-generation task.

An animal wants a thing, goes somewhere, meets another animal, and the day ends well or not. Who was named comes back by
the right word - "he" for a fox named Tom, "she" for a hen named Ada - and what was wanted is found or not found again at
the end, so that a net which remembers what stood far before does better than one that knows words alone. No tale of the
test part stands in the training part.
"""

import random

NAMES = {"he": ["Tom", "Ben", "Max", "Otto", "Emil"], "she": ["Ada", "Mia", "Lena", "Ruth", "Zoe"]}
ANIMALS = ["fox", "hen", "mouse", "goat", "cat", "owl", "frog", "bear", "hare", "duck"]
THINGS = ["a red apple", "a warm coat", "a silver key", "an old map", "a loaf of bread", "a new hat", "a blue kite"]
PLACES = ["the mill", "the river", "the dark wood", "the market", "the green hill", "the village", "the sea"]
WAYS = ["walked", "ran", "went", "hurried", "wandered"]
WEATHER = [
    "It was raining.", "The sun was shining.", "It was a cold day.", "The wind was blowing.", "Snow was falling.",
]  # fmt: skip
WANTS = ["wanted", "needed", "was looking for", "dreamt of"]
SAYS = ["Where can I find", "Have you seen", "Do you know who has"]
GLAD = ["{She} found {it} at last and sang all the way home.", "There it was, and {she} was happy for the whole week."]
SAD = ["But nobody had {it}, and {she} went home alone.", "{She} did not find {it}, and soon it was night."]

COUNTS = {"train": 900, "test": 100}


def tales(split: str) -> list[str]:
    """The tales of a split, "train" (900) or "test" (100); the same at every call, and none in both.

    >>> len(tales("train")), bool({*tales("train")} & {*tales("test")})
    (900, False)
    """
    chance = random.Random(11)
    found: dict[str, None] = {}  # a dict keeps the order and drops what comes twice
    while len(found) < sum(COUNTS.values()):
        found[_tale(chance)] = None
    everything = list(found)
    return everything[: COUNTS["train"]] if split == "train" else everything[COUNTS["train"] :]


def _tale(chance: random.Random) -> str:
    she = chance.choice(["he", "she"])
    name, animal, other = chance.choice(NAMES[she]), chance.choice(ANIMALS), chance.choice(ANIMALS)
    thing, place = chance.choice(THINGS), chance.choice(PLACES)
    it = "the " + thing.split(" ", 1)[1]
    end = chance.choice(GLAD + SAD).format(She=she.capitalize(), she=she, it=it)
    return " ".join(
        [
            f"{name} the {animal} {chance.choice(WANTS)} {thing}.",
            *chance.sample(WEATHER, chance.randrange(2)),
            f"So {she} {chance.choice(WAYS)} to {place} and met {_a(other)}.",
            f'"{chance.choice(SAYS)} {thing}?" {she} asked.',
            end,
        ]
    )


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
