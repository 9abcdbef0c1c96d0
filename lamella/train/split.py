"""Hold examples out, so that what is alike stands on one side of the split."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence


def hold_out(keys: Sequence[Sequence[str]], wanted: int, seed: int) -> list[int]:
    """The places of about `wanted` examples, at most, chosen by a hash of what they hold.

    keys: for each example what it must not share with one on the other side, a text say. Examples that share a key,
    directly or over others, stay together. The same examples and seed give the same choice, whatever their order, and
    examples that are added later hardly change it. Nothing is held out where all hang together.

    >>> held = hold_out([[f"line {n}"] for n in range(20)] + [["line 3"]], wanted=2, seed=0)
    >>> len(held), 3 in held, 20 in held
    (2, False, False)
    """
    members: defaultdict[int, list[int]] = defaultdict(list)
    for at, group in enumerate(components(keys)):
        members[group].append(at)

    def rank(group: list[int]) -> tuple[bytes, int]:
        name = min("\x1f".join(keys[at]) for at in group)  # of its content, not of its place
        return hashlib.blake2b(f"{seed}\x1f{name}".encode("utf-8", "replace"), digest_size=8).digest(), group[0]

    held: list[int] = []
    for together in sorted(members.values(), key=rank):
        if len(held) + len(together) <= wanted:
            held += together
    return sorted(held)


def components(labels: Sequence[Sequence[str]]) -> list[int]:
    """Items that share a label, directly or over others, get the same number (union-find).

    >>> components([["a"], ["b"], ["a", "c"], ["c"]])
    [0, 1, 0, 0]
    """
    parent = list(range(len(labels)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[str, int] = {}
    for at, mine in enumerate(labels):
        for label in mine:
            one, other = sorted((root(first.setdefault(label, at)), root(at)))
            parent[other] = one
    return [root(at) for at in range(len(labels))]
