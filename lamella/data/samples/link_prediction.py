"""Facts about people of a few villages: who is whose parent, who is married to whom, who lives where. An offline sample.

Grandparents, uncles and aunts, cousins and parents-in-law follow from parents and marriages; married people mostly live in one
village, in whose county they vote. So most of what is held out can be concluded from the rest, by rules of two or three
facts.
"""

import random

FIRST = [
    "Ada", "Ben", "Cora", "Dan", "Edith", "Finn", "Greta", "Hugo", "Ines", "Jon", "Kira", "Leo", "Mona", "Nils", "Olga",
    "Paul", "Rosa", "Sam", "Tilda", "Udo", "Vera", "Will", "Xenia", "Yves", "Zoe",
]  # fmt: skip
FAMILIES = ["Ash", "Birch", "Cedar", "Elm", "Fir", "Hazel", "Larch", "Maple", "Oak", "Pine", "Rowan", "Willow"]
VILLAGES = {
    "Fordham": "Northshire", "Millbrook": "Northshire", "Stowe": "Westshire", "Ashby": "Westshire", "Thorpe": "Eastshire",
    "Wick": "Eastshire",
}  # fmt: skip
DERIVED = ("grandparent of", "uncle or aunt of", "cousin of", "parent-in-law of", "votes in")
HELD = {"married to": 0.15, "lives in": 0.15, "sibling of": 0.2, **dict.fromkeys(DERIVED, 0.2)}  # the share for testing
Fact = tuple[str, str, str]


def facts(split: str) -> list[Fact]:
    """(head, relation, tail) of a split, "train" or "test"; the same at every call, and none in both.

    >>> learn, held = facts("train"), facts("test")
    >>> bool(set(learn) & set(held)), {e for h, _, t in held for e in (h, t)} <= {e for h, _, t in learn for e in (h, t)}
    (False, True)
    """
    rng = random.Random(3)
    known: set[Fact] = set()
    for family in FAMILIES:
        known |= _family(rng, family)
    ordered = sorted(known)
    rng.shuffle(ordered)
    held = {fact for fact in ordered if rng.random() < HELD.get(fact[1], 0.0)}
    return [fact for fact in ordered if (fact in held) == (split == "test")]


def _family(rng: random.Random, family: str) -> set[Fact]:
    """Two grandparents, their children with husbands and wives, and their grandchildren."""
    names = iter(f"{first} {family}" for first in rng.sample(FIRST, 16))
    elders = next(names), next(names)
    couples = [elders]
    children: dict[tuple[str, str], list[str]] = {elders: [next(names) for _ in range(rng.choice((2, 3)))]}
    for child in children[elders]:
        couple = child, next(names)
        couples.append(couple)
        children[couple] = [next(names) for _ in range(rng.choice((1, 2, 3)))]
    found: set[Fact] = set()
    for couple in couples:
        home = rng.choice(list(VILLAGES))
        found |= {(couple[0], "married to", couple[1]), (couple[1], "married to", couple[0])}
        for person in (*couple, *(c for c in children[couple] if couple != elders)):
            found |= {(person, "lives in", home), (person, "votes in", VILLAGES[home])}
        found |= {(parent, "parent of", child) for parent in couple for child in children[couple]}
        found |= {(a, "sibling of", b) for a in children[couple] for b in children[couple] if a != b}
    for at, couple in enumerate(couples[1:]):
        found |= {(elder, "parent-in-law of", couple[1]) for elder in elders}
        found |= {(elder, "grandparent of", child) for elder in elders for child in children[couple]}
        others = [other for n, other in enumerate(couples[1:]) if n != at]
        found |= {(other[0], "uncle or aunt of", child) for other in others for child in children[couple]}
        found |= {(a, "cousin of", b) for other in others for a in children[other] for b in children[couple]}
    return found
