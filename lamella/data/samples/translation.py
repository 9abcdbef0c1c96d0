"""Simple English sentences with their French, from a small grammar: the offline sample of the translation task.

Who, what they do, what with, and when: some 30,000 combinations, of which a seeded choice trains and another tests, so
that a net that only remembers sentences fails and one that has learned the words and their agreement does not.
"""

import random

# Subject, whether plural; the French verb agrees with it.
WHO = [
    ("the teacher", "le professeur", 0), ("my sister", "ma sœur", 0), ("a child", "un enfant", 0),
    ("our neighbour", "notre voisin", 0), ("the baker", "le boulanger", 0), ("the old man", "le vieil homme", 0),
    ("the children", "les enfants", 1), ("my parents", "mes parents", 1), ("two friends", "deux amis", 1),
    ("the students", "les étudiants", 1),
]  # fmt: skip
# English singular and plural, French singular and plural.
DOES = [
    ("sees", "see", "voit", "voient"), ("buys", "buy", "achète", "achètent"), ("wants", "want", "veut", "veulent"),
    ("finds", "find", "trouve", "trouvent"), ("carries", "carry", "porte", "portent"),
    ("loses", "lose", "perd", "perdent"), ("sells", "sell", "vend", "vendent"),
    ("draws", "draw", "dessine", "dessinent"),
]  # fmt: skip
# French noun, feminine or not; the adjective stands behind it and agrees.
WHAT = [
    ("table", "table", 1), ("house", "maison", 1), ("car", "voiture", 1), ("flower", "fleur", 1), ("key", "clé", 1),
    ("book", "livre", 0), ("hat", "chapeau", 0), ("bag", "sac", 0), ("boat", "bateau", 0), ("cake", "gâteau", 0),
]  # fmt: skip
LIKE = [
    ("green", "vert", "verte"), ("black", "noir", "noire"), ("blue", "bleu", "bleue"), ("white", "blanc", "blanche"),
    ("round", "rond", "ronde"), ("heavy", "lourd", "lourde"),
]  # fmt: skip
WHEN = [
    ("today", "aujourd'hui"), ("every morning", "chaque matin"), ("in the evening", "le soir"),
    ("on Sunday", "dimanche"), ("at school", "à l'école"), ("near the river", "près de la rivière"),
]  # fmt: skip

COUNTS = {"train": 1500, "test": 200}


def sentences(split: str) -> list[tuple[str, str]]:
    """The pairs of a split, "train" (1,500) or "test" (200); the same at every call, and none in both.

    >>> sentences("train")[0] == sentences("train")[0], len(sentences("test"))
    (True, 200)
    >>> bool(set(sentences("train")) & set(sentences("test")))
    False
    """
    chance = random.Random(20)
    found: dict[tuple[str, str], None] = {}  # a dict keeps the order and drops what comes twice
    while len(found) < sum(COUNTS.values()):
        found[_sentence(chance)] = None
    pairs = list(found)
    return pairs[: COUNTS["train"]] if split == "train" else pairs[COUNTS["train"] :]


def _sentence(chance: random.Random) -> tuple[str, str]:
    who_en, who_fr, plural = chance.choice(WHO)
    verb = chance.choice(DOES)
    noun_en, noun_fr, feminine = chance.choice(WHAT)
    like_en, *like_fr = chance.choice(LIKE)
    when_en, when_fr = chance.choice(WHEN)
    english = f"{who_en} {verb[plural]} the {like_en} {noun_en} {when_en}."
    french = f"{who_fr} {verb[2 + plural]} {('le', 'la')[feminine]} {noun_fr} {like_fr[feminine]} {when_fr}."
    return english[0].upper() + english[1:], french[0].upper() + french[1:]
