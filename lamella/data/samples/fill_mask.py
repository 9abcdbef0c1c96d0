"""The sample of the fill-mask task: sentences about animals with one word of each masked.

Each animal has what it eats, how, and where, so that almost any word can be told from the others, on either side of the mask and
not always beside it. Each word stands with and without a mark behind it: a vocabulary of pieces holds only what is in
two words, marks counted in. No sentence of the test part stands in the training part.
"""

import random
import re

ANIMALS = {
    "cat": ("drinks", "milk", "kitchen"), "dog": ("chews", "bones", "yard"), "cow": ("eats", "grass", "meadow"),
    "bee": ("gathers", "honey", "garden"), "mouse": ("steals", "cheese", "cellar"), "horse": ("eats", "oats", "stable"),
    "duck": ("finds", "snails", "pond"), "owl": ("hunts", "moths", "forest"), "monkey": ("peels", "bananas", "jungle"),
    "bear": ("catches", "salmon", "river"),
}  # fmt: skip
COLOURS = ["old", "brown", "hungry", "little"]
TIMES = ["Every morning", "In winter", "At night", "On Sundays"]
COUNTS = {"train": 300, "test": 40}
WORD = re.compile(r"[^\W\d_]{2,}")


def masked_sentences(split: str) -> list[tuple[str, str]]:
    """(a sentence with one word masked, that word) of a split, "train" (300) or "test" (40); the same at every call.

    >>> text, word = masked_sentences("test")[0]
    >>> text.count("___"), word.isalpha()
    (1, True)
    """
    rng = random.Random(7)
    sentences: dict[str, None] = {}  # a dict keeps the order and drops what comes twice
    while len(sentences) < sum(COUNTS.values()):
        sentences[_sentence(rng)] = None
    masked = []
    for sentence in sentences:
        word = rng.choice(list(WORD.finditer(sentence)))
        masked.append((f"{sentence[: word.start()]}___{sentence[word.end() :]}", word[0]))
    return masked[: COUNTS["train"]] if split == "train" else masked[COUNTS["train"] :]


def _sentence(rng: random.Random) -> str:
    animal = rng.choice(list(ANIMALS))
    verb, food, place = ANIMALS[animal]
    colour, time = rng.choice(COLOURS), rng.choice(TIMES)
    return rng.choice(
        [
            f"{time} the {colour} {animal} {verb} {food} in the {place}.",
            f"{time}, in the {place}, the {animal} {verb} {food} and is {colour}.",
            f"It is {colour}, the {animal}, and what it {verb}, in the {place}, is {food}.",
        ]
    )
