"""What a model knows: entities and relations by name, its facts, and the facts that a user adds when it answers."""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from lamella.data.readers.triples import Fact, clean
from lamella.errors import DataError, UsageError
from lamella.tasks.link_prediction.knowledge import Ints, Knowledge

INVERSE = "^"  # before a relation: the same the other way round, as in paths of SPARQL


class Graph:
    """Names and facts. entities: those of training, then those that only added facts speak of."""

    def __init__(
        self, entities: Sequence[str], relations: Sequence[str], facts: Ints, trained: int | None = None
    ) -> None:
        self.entities, self.relations = list(entities), list(relations)
        self.trained = len(self.entities) if trained is None else trained  # entities that the net has a vector for
        self.knowledge = Knowledge(facts, max(1, len(self.entities)), len(self.relations))

    @cached_property
    def entity(self) -> dict[str, int]:
        """The id of each entity."""
        return {name: n for n, name in enumerate(self.entities)}

    @cached_property
    def relation(self) -> dict[str, int]:
        """The id of each relation."""
        return {name: n for n, name in enumerate(self.relations)}

    def entity_id(self, field: str, name: str) -> int:
        """The id of an entity; DataError, with names that are spelt alike, for one that no fact speaks of."""
        found = self.entity.get(name)
        if found is None:
            found = self.entity.get(clean(name))
        if found is None:
            hint = _hint(clean(name), self.entities)
            raise DataError(
                f"{field}: expected an entity of the facts, received {name[:60]!r}, of which none speaks.{hint} "
                "Facts about a new one can be added with --facts."
            )
        return found

    def relation_id(self, name: str) -> int:
        """The id of a relation, of ^relation that of its reciprocal; DataError for one that was never seen."""
        if name in self.relation:
            return self.relation[name]
        plain = clean(name)
        if plain in self.relation:
            return self.relation[plain]
        if plain.startswith(INVERSE) and clean(plain[1:]) in self.relation:
            return self.relation[clean(plain[1:])] + len(self.relations)
        hint = _hint(plain, self.relations)
        few = "" if hint else f" It knows {', '.join(self.relations[:8])}{', ...' if len(self.relations) > 8 else ''}."
        raise DataError(
            f"relation: expected one of the {len(self.relations)} of training, received {name[:60]!r}.{hint}{few}"
        )

    def ids(self, facts: Sequence[Fact]) -> Ints:
        """Facts by name -> ids (N, 3), those of unknown names left out."""
        rows = [(self.entity.get(h), self.relation.get(r), self.entity.get(t)) for h, r, t in facts]
        return np.array([row for row in rows if None not in row], np.int64).reshape(-1, 3)

    def names(self, fact: Sequence[int]) -> list[str]:
        """A fact by ids -> by names."""
        return [self.entities[fact[0]], self.relations[fact[1]], self.entities[fact[2]]]

    def with_facts(self, facts: Sequence[Fact]) -> "Graph":
        """The same with more facts, which may speak of new entities, not of new relations."""
        for _, relation, _ in facts:
            self.relation_id(relation)
        added: Mapping[str, None] = dict.fromkeys(e for h, _, t in facts for e in (h, t) if e not in self.entity)
        other = Graph([*self.entities, *added], self.relations, self.knowledge.facts, self.trained)
        straight = [(t, r[1:].strip(), h) if r not in self.relation else (h, r, t) for h, r, t in facts]
        other.knowledge = self.knowledge.with_facts(other.ids(straight), len(other.entities))
        return other


def _hint(name: str, known: Sequence[str]) -> str:
    """What may have been meant: another case, or else longer names that it is a part of, and what is spelt alike.

    >>> _hint("ann", ["Bob", "Hill, Ann"]), _hint("hill, anne", ["Bob", "Hill, Ann"])
    (" Did you mean 'Hill, Ann'?", " Did you mean 'Hill, Ann'?")
    """
    if not 0 < len(name) < 200:
        return ""
    low = name.lower()
    near = [one for one in known if one.lower() == low]
    if not near:
        within = re.compile(rf"(?<!\w){re.escape(low)}(?!\w)")
        near = sorted((one for one in known if low in one.lower() and within.search(one.lower())), key=len)
        near = list(dict.fromkeys([*near[:3], *difflib.get_close_matches(name, known[:20_000], n=3)]))
    return f" Did you mean {' or '.join(map(repr, near[:3]))}?" if near else ""


def parse_facts(text: str) -> list[Fact]:
    """Facts as they are typed: `head | relation | tail`, several with a semicolon or on a line each.

    >>> parse_facts("Ann | parent of | Ben; Ben | lives in | Wick")
    [('Ann', 'parent of', 'Ben'), ('Ben', 'lives in', 'Wick')]
    """
    from lamella.data.readers.facts import LONGEST

    facts = []
    for part in text.replace("\n", ";").split(";"):
        if not part.strip():
            continue
        cells = [clean(cell) for cell in part.split("\t" if "\t" in part else "|")]
        if len(cells) != 3 or not all(cells):
            raise UsageError(f"--facts: expected head | relation | tail, received {part.strip()[:80]!r}.")
        if (most := max(map(len, cells))) > LONGEST:
            raise UsageError(f"--facts: expected names of at most {LONGEST:,} characters, received one of {most:,}.")
        facts.append((cells[0], cells[1], cells[2]))
    return facts
