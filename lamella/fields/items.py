"""The kind of value `Items`: names of things of a catalogue in order, the latest last, explained item by item."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, ClassVar

from lamella.data.text.names import join_names, split_names
from lamella.errors import UsageError
from lamella.fields.base import LONGEST, Field, Limits, Part, Parts, TooLarge, json_kind, wrong

if TYPE_CHECKING:
    import numpy as np

MOST = 60  # parts: of a longer list only the end is cut
OFFERED = 2000  # names that a form is told, the most frequent first
EXPECTED = 'names in a list, or in a text with semicolons between them: "Alien; Blade Runner"'


class Items(Field, frozen=True, tag="items"):
    """Names of things in the order in which they were chosen; as text they have semicolons between them."""

    names: tuple[str, ...] = ()  # as learned, for a form to offer; () before training

    control: ClassVar[str] = "items"
    noises: ClassVar[tuple[str, ...]] = ("missing", "order", "unknown")

    def parse(self, name: str, text: str) -> list[str]:
        """
        >>> Items().parse("history", 'Alien; "One; Two"'), Items().parse("history", '["Alien", 7]')
        (['Alien', 'One; Two'], ['Alien', '7'])
        """
        return split_names(text)

    def check(self, name: str, value: Any) -> list[str]:
        if isinstance(value, str):
            return self.parse(name, value)
        if not isinstance(value, list) and hasattr(value, "tolist"):  # an array of another library
            value = value.tolist()
        if not isinstance(value, list | tuple):
            raise wrong(name, EXPECTED, value)
        if isinstance(value, list) and {str}.issuperset(map(type, value)):
            return value
        for item in value:
            if isinstance(item, bool) or not isinstance(item, str | int):
                raise wrong(name, EXPECTED, item)
        return [str(item) for item in value]

    def receive(self, name: str, value: Any, limits: Limits) -> list[str]:
        if not isinstance(value, str | list):
            raise UsageError(f"{name}: expected a list of names, received {json_kind(value)}.")
        if isinstance(value, list) and (
            odd := [v for v in value if isinstance(v, bool) or not isinstance(v, str | int)]
        ):
            raise UsageError(f"{name}: expected a list of names, received one with {json_kind(odd[0])}.")
        names = self.check(name, value)
        if len(names) > limits.values:
            raise TooLarge(f"{name}: expected at most {limits.values:,} names, received {len(names):,}.")
        return names

    def schema(self, limits: Limits) -> dict[str, Any]:
        one = {"type": ["string", "integer"], "maxLength": LONGEST}
        array = {"type": "array", "items": one, "maxItems": limits.values}
        return {"anyOf": [array, {"type": "string", "maxLength": limits.characters}]}

    def show(self, value: Any) -> dict[str, Any]:
        return {"text": join_names(self.check("items", value))}

    def facts(self) -> dict[str, Any]:
        return {**super().facts(), **({"names": list(self.names[:OFFERED])} if self.names else {})}

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> list[str]:
        from lamella.data.noise.lists import NOISES

        names = self.check("items", value)
        return NOISES[noise](names, strength, rng) if strength and names else names

    def split(self, value: Any, usual: Any = None) -> Parts:
        """
        >>> Items().split(["a", "b", "c"]).without({0, 2})
        ['b']
        """
        return ItemsParts(self.check("items", value))


class ItemsParts:
    """A list of items, each a part; of a long one the latest MOST."""

    kind = "items"
    how = ("left out", "replaced by an item that nobody knows")

    def __init__(self, names: list[str]) -> None:
        self.first, self.names = max(0, len(names) - MOST), names
        self.units: list[Part] = [{"label": name} for name in names[self.first :]]

    def without(self, gone: Collection[int], other: bool = False) -> list[str]:
        lost = {self.first + i for i in gone}
        if other:
            return ["\N{BLACK SQUARE}" if i in lost else name for i, name in enumerate(self.names)]
        return [name for i, name in enumerate(self.names) if i not in lost]

    def shown(self) -> list[str]:
        return self.names

    def facts(self) -> dict[str, Any]:
        return {}
