"""Histories of a bookshop that does not exist: an offline sample.

Each reader likes three of eight shelves, reads series of three books in order, and now and then something that everyone
reads. Several series are read at a time, so that what comes next was often begun some books ago: who counts only what
follows the latest book does not see it.
"""

import random

SHELVES = {
    "crime": ("Harbour", "Inspector", "Alibi", "Witness", "Verdict"),
    "space": ("Orbit", "Comet", "Station", "Signal", "Colony"),
    "gardening": ("Orchard", "Hedge", "Meadow", "Compost", "Blossom"),
    "cooking": ("Bread", "Saffron", "Kettle", "Pickle", "Supper"),
    "history": ("Empire", "Castle", "Treaty", "Caravan", "Dynasty"),
    "romance": ("Summer", "Letter", "Promise", "Island", "Waltz"),
    "horror": ("Cellar", "Shadow", "Hollow", "Whisper", "Ruin"),
    "sailing": ("Compass", "Anchor", "Lagoon", "Tempest", "Beacon"),
}
VOLUMES = 3  # of a series; each word names one
PARTS = ("One", "Two", "Three")
LIKED = 3  # shelves of a reader
AHEAD = 3  # series that are read at a time
STRAY = 0.12  # share of what anyone may read
LENGTH = (6, 16)  # books of a history, with the one that comes next
COUNTS = {"train": 320, "test": 80}


def title(word: str, volume: int) -> str:
    """The name of a book.

    >>> title("Orbit", 0)
    'Orbit, Part One'
    """
    return f"{word}, Part {PARTS[volume]}"


def catalogue() -> dict[str, dict[str, str]]:
    """Each book with its shelf, as a table of items has them; 120 in all.

    >>> len(catalogue()), catalogue()["Orbit, Part One"]
    (120, {'shelf': 'space'})
    """
    return {
        title(word, v): {"shelf": shelf} for shelf, words in SHELVES.items() for word in words for v in range(VOLUMES)
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
    shelves = rng.sample(list(SHELVES), LIKED)
    waiting = [word for shelf in shelves for word in SHELVES[shelf]]
    rng.shuffle(waiting)
    begun: list[list[str]] = []  # for each series that is read now, the books that are left of it
    history: list[str] = []
    for _ in range(rng.randint(*LENGTH)):
        if rng.random() < STRAY:
            stray = title(rng.choice(rng.choice(list(SHELVES.values()))), rng.randrange(VOLUMES))
            if stray not in history:
                history.append(stray)
                continue
        while len(begun) < AHEAD and waiting:
            word = waiting.pop()
            if left := [b for v in range(VOLUMES) if (b := title(word, v)) not in history]:
                begun.append(left)
        at = rng.randrange(len(begun))
        history.append(begun[at].pop(0))
        begun = [[b for b in left if b not in history] for left in begun]
        begun = [left for left in begun if left]
    return history
