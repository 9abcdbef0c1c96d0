"""Notices of a small town from a small grammar, each with its one line for the board: an offline sample.

A notice has one sentence that says what is new, somewhere among sentences that are polite: "The library in Mill Street
will stay closed on Friday because of a stock count." becomes "Library closed on Friday". Places, days and numbers of the
line stand in the notice and must be copied; which sentence counts, and that a closed library is "closed" and not "will
stay closed", must be learned. The first sentence alone is a poor summary.
"""

import random

PLACES = [
    "library", "museum", "town hall", "swimming pool", "post office", "market hall", "theatre", "bakery", "cinema", "ice rink",
    "sports hall", "music school", "archive", "zoo",
]  # fmt: skip
EVENTS = [
    "concert",
    "flea market",
    "book fair",
    "chess evening",
    "wine tasting",
    "summer fair",
    "choir practice",
    "film night",
]
STREETS = ["Mill Street", "Bridge Road", "Castle Lane", "Station Road", "River Walk", "Church Square", "Garden Street"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
REASONS = ["a stock count", "repairs to the roof", "the town fair", "a burst pipe", "illness", "a power cut"]
OPENINGS = [
    "Dear neighbours and guests of our town.", "We have news for all our visitors today.", "The town council met last night as it always does.",
    "Thank you for all your letters and calls.", "As you may have read in the paper, things are changing here.",
]  # fmt: skip
ENDS = [
    "Please leave your bicycles behind the building.", "Questions are answered by {name} on {phone}.", "{name} thanks everybody for their help.",
    "Children must come with an adult.", "We ask for your patience.",
]  # fmt: skip
NAMES = ["Mrs Adams", "Mr Brown", "Ms Clarke", "Mr Dunn", "Mrs Evans", "Ms Ford"]
FACTS = [
    ("The {place} in {street} will stay closed on {day} because of {reason}.", "{Place} closed on {day}"),
    ("From {day} the {place} in {street} opens its doors at {hour} in the morning.", "{Place} opens at {hour} from {day}"),
    ("The {event} had to be put off and now takes place on {day} in the {place}.", "{Event} moved to {day}"),
    ("A ticket for the {place} now costs {price} euros, which is less than before.", "{Place} ticket costs {price} euros"),
]  # fmt: skip
COUNTS = {"train": 240, "test": 40}


def notices(split: str) -> list[tuple[str, str]]:
    """(notice, its line) of a split, "train" (240) or "test" (40); the same at every call, and none in both.

    >>> notices("train")[0] == notices("train")[0], len(notices("test"))
    (True, 40)
    >>> bool({text for text, _ in notices("train")} & {text for text, _ in notices("test")})
    False
    """
    rng = random.Random(3)
    made: dict[str, str] = {}  # a dict keeps the order and drops what comes twice
    while len(made) < sum(COUNTS.values()):
        text, line = _notice(rng)
        made[text] = line
    pairs = list(made.items())
    return pairs[: COUNTS["train"]] if split == "train" else pairs[COUNTS["train"] :]


def _notice(rng: random.Random) -> tuple[str, str]:
    place, event = rng.choice(PLACES), rng.choice(EVENTS)
    words = {
        "place": place, "Place": place.capitalize(), "event": event, "Event": event.capitalize(), "street": rng.choice(STREETS),
        "day": rng.choice(DAYS), "reason": rng.choice(REASONS), "hour": rng.randrange(6, 12), "price": rng.randrange(3, 30),
    }  # fmt: skip
    fact, line = rng.choice(FACTS)
    end = rng.choice(ENDS).format(name=rng.choice(NAMES), phone=rng.randrange(20000, 90000))
    opening, news = rng.choice(OPENINGS), fact.format(**words)
    sentences = rng.choice([[opening, news, end], [opening, news, end], [opening, end, news], [news, end]])
    return " ".join(sentences), line.format(**words) + "."
