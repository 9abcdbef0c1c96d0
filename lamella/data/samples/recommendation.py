"""Histories of a bookshop that does not exist: an offline sample.

Each reader likes three of eight shelves and reads four series at a time, a book of each in turn, and now and then something
that anyone might read. So what comes next is the sequel of what was read four books ago: who counts only what follows the
latest books, or what is read by the same people, sees that less well than who reads the history in order.
"""

import random

SHELVES = {
    "crime": ("Harbour", "Inspector", "Alibi", "Witness"),
    "space": ("Orbit", "Comet", "Station", "Signal"),
    "gardening": ("Orchard", "Hedge", "Meadow", "Blossom"),
    "cooking": ("Bread", "Saffron", "Kettle", "Supper"),
    "history": ("Empire", "Castle", "Caravan", "Dynasty"),
    "romance": ("Summer", "Letter", "Promise", "Waltz"),
    "horror": ("Cellar", "Shadow", "Whisper", "Ruin"),
    "sailing": ("Compass", "Anchor", "Lagoon", "Beacon"),
}
PARTS = ("One", "Two", "Three", "Four")  # of a series; each word names one
LIKED = 3  # shelves of a reader
AHEAD = 4  # series that are read at a time
STRAY = 0.06  # share of what anyone may read
LENGTH = (6, 16)  # books of a history, with the one that comes next
COUNTS = {"train": 320, "test": 80}


def title(word: str, volume: int) -> str:
    """The name of a book.

    >>> title("Orbit", 0)
    'Orbit, Part One'
    """
    return f"{word}, Part {PARTS[volume]}"


def catalogue() -> dict[str, dict[str, str]]:
    """Each book with its shelf, as a table of items has them; 128 in all.

    >>> len(catalogue()), catalogue()["Orbit, Part One"]
    (128, {'shelf': 'space'})
    """
    return {
        title(word, v): {"shelf": shelf}
        for shelf, words in SHELVES.items()
        for word in words
        for v in range(len(PARTS))
    }


def histories(split: str) -> list[list[str]]:
    """Books in the order in which a reader took them, of "train" (320 readers) or "test" (80); the same at every call.

    >>> histories("train")[0] == histories("train")[0], len(histories("test"))
    (True, 80)
    """
    rng = random.Random(23)
    made: list[list[str]] = []
    seen: set[str] = set()
    while len(made) < sum(COUNTS.values()):
        history = _history(rng)
        if "\n".join(history) not in seen:
            seen.add("\n".join(history))
            made.append(history)
    return made[: COUNTS["train"]] if split == "train" else made[COUNTS["train"] :]


def _history(rng: random.Random) -> list[str]:
    waiting = [word for shelf in rng.sample(list(SHELVES), LIKED) for word in SHELVES[shelf]]
    rng.shuffle(waiting)
    turns: list[
        tuple[str, int]
    ] = []  # the series that are read now, and how many of its books are done, the next one first
    history: list[str] = []
    length = rng.randint(*LENGTH)
    while len(history) < length:
        stray = title(rng.choice(rng.choice(list(SHELVES.values()))), rng.randrange(len(PARTS)))
        if rng.random() < STRAY and stray not in history:
            history.append(stray)
            continue
        if len(turns) < AHEAD:
            turns.insert(0, (waiting.pop(), 0))
        word, done = turns.pop(0)
        if title(word, done) not in history:
            history.append(title(word, done))
        if done + 1 < len(PARTS):
            turns.append((word, done + 1))
    return history
