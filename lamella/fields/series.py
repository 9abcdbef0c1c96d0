"""The kind of value `Series`: numbers in order of time, explained step by step."""

from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from lamella.errors import UsageError
from lamella.fields.base import Field, Limits, Part, Parts, TooLarge, json_kind, wrong
from lamella.fields.number import finite, received_number, written_numbers

MOST = 60  # parts
FINE = 40  # of the latest steps stand alone
DRAWN = 96  # latest values in a report


class Series(Field, frozen=True, tag="series"):
    """Numbers in order of time; or a name at each step, where there are `names`, or a truth value, where it holds `truths`."""

    names: tuple[str, ...] = ()
    truths: bool = False

    numeric: ClassVar[bool] = True
    control: ClassVar[str] = "series"
    noises: ClassVar[tuple[str, ...]] = ("inexact", "gaps", "spikes", "shift")

    def check(self, name: str, value: Any) -> Any:
        """Numbers in order: a list or a text as it came, or an array's values as a list."""
        if self.names:
            return step_names(name, value)
        if self.truths and (read := truth_values(value)):
            return read
        return value if isinstance(value, str) else numbers(name, value)

    def receive(self, name: str, value: Any, limits: Limits) -> list[Any]:
        if isinstance(value, list) and len(value) > limits.values:
            raise TooLarge(f"{name}: expected at most {limits.values:,} values, received {len(value):,}.")
        if self.names:
            return step_names(name, value)
        if self.truths and (read := truth_values(value)):
            return read
        return received_numbers(name, value, limits)

    def schema(self, limits: Limits) -> dict[str, Any]:
        step: dict[str, Any] = {"type": ["number", "string", *(["boolean"] if self.truths else [])]}
        if self.names:
            step = {"anyOf": [{"enum": list(self.names)}, {"type": ["string", "null"]}]}
        array = {"type": "array", "items": step, "maxItems": limits.values}
        return {"anyOf": [array, {"type": "string", "maxLength": limits.characters}]}

    def show(self, value: Any) -> dict[str, Any]:
        if isinstance(value, str):
            return {"text": value}
        if self.names:
            return {"text": ", ".join(str(v) for v in value[-DRAWN:])}
        return {"series": [float(v) for v in value[-DRAWN:]]}

    def sketch(self, value: Any) -> list[str]:
        return super().sketch(value) if self.names else [sketched(SeriesParts(value).shown())]

    def draw(self, answer: Any, given: Sequence[tuple[Field, Any]]) -> str:
        """The values ahead, with their intervals, after those of the past."""
        from lamella.data.media.charts import forecast  # only where it is drawn

        past: Any = next((value for field, value in given if field.kind == self.kind), [])
        past = text_numbers("past", past) if isinstance(past, str) else past
        if isinstance(answer, Mapping):
            middle, bands = answer["median"], {name: band for name, band in answer.items() if name.endswith("%")}
        else:
            middle, bands = numbers("answer", answer), {}
        return forecast(past[-max(DRAWN, 4 * len(middle)) :], middle, bands)

    def group(self, value: Any, before: Any = None) -> str:
        if isinstance(before, list) and isinstance(value, list) and before and value:
            return "goes up" if float(np.mean(value)) > float(before[-1]) else "goes down"
        return ""

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> Any:
        if self.names:
            return value
        from lamella.data.noise.numbers import NOISES
        from lamella.data.readers.numbers import number_list

        values = number_list(value) if isinstance(value, str) else value
        return NOISES[noise](list(values), strength, rng) if strength and values else value

    def split(self, value: Any, usual: Any = None) -> Parts:
        return NameParts(step_names("series", value)) if self.names else SeriesParts(value)


def sketched(values: Sequence[float]) -> str:
    """The course of numbers on one line, and between which they lie.

    >>> sketched([1, 5, 3])
    '▁█▅ 3 values, 1 to 5'
    """
    from lamella.data.media.charts import number, sparkline

    if not len(values):
        return "no values"
    return f"{sparkline(values)} {len(values):,} values, {number(min(values))} to {number(max(values))}".strip()


def numbers(name: str, value: Any) -> list[Any]:
    """Finite numbers as a list; UsageError for anything else."""
    expected = "finite numbers in a list, or in a text with spaces between them"
    if not isinstance(value, list | tuple | range) and not hasattr(value, "__array__"):
        raise wrong(name, expected, value)
    try:
        array = np.asarray(value, dtype=np.float64)
    except Exception as error:  # whatever the array of another library raises
        raise wrong(name, expected, value) from error
    if array.ndim != 1 or not np.isfinite(array).all():
        raise wrong(name, expected, value)
    return value if isinstance(value, list) else list(array.tolist())


def received_numbers(name: str, value: Any, limits: Limits) -> list[float | int]:
    """The numbers of a request: a list, or a text with spaces or commas between them; as people write them."""
    if isinstance(value, str):
        value = text_numbers(name, value)
    if not isinstance(value, list):
        raise UsageError(f"{name}: expected a list of numbers, received {json_kind(value)}.")
    if len(value) > limits.values:
        raise TooLarge(f"{name}: expected at most {limits.values:,} values, received {len(value):,}.")
    texts = [v for v in value if isinstance(v, str)]
    if any(not finite(text) for text in texts):
        written = iter(written_numbers(name, texts))
        value = [next(written) if isinstance(v, str) else v for v in value]
    return [received_number(name, v) for v in value]


def text_numbers(name: str, text: str) -> list[float]:
    """The numbers in a text, as the command line reads them; UsageError where it holds anything else.

    >>> text_numbers("past", "1,299.50 1,310.00"), text_numbers("past", "1, 2, 3")
    ([1299.5, 1310.0], [1.0, 2.0, 3.0])
    """
    from lamella.data.readers.numbers import number_list  # only where there is a text

    values = number_list(text)
    if values is None:
        raise UsageError(f"{name}: expected finite numbers with spaces between them, received text {text[:40]!r}.")
    return values


def truth_values(value: Any) -> list[float] | None:
    """Truth values, of JSON or as tables write them, as ones and zeros; None where there is anything else.

    >>> truth_values([True, "no"]), truth_values("yes, no"), truth_values([1, 0])
    ([1.0, 0.0], [1.0, 0.0], None)
    """
    from lamella.data.readers.numbers import TRUTH

    steps = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(steps, list) or not steps:
        return None
    read = [TRUTH.get(str(step).strip().casefold()) if isinstance(step, str | bool) else None for step in steps]
    return [step for step in read if step is not None] if None not in read else None


def step_names(name: str, value: Any) -> list[str]:
    """A name at each step: a list, in which null is none, or a text with commas (else spaces) between; UsageError else.

    >>> step_names("weather", "rain, light rain"), step_names("weather", ["sun", None])
    (['rain', 'light rain'], ['sun', ''])
    """
    if isinstance(value, str):
        return [word.strip() for word in value.split(",")] if "," in value else value.split()
    if hasattr(value, "tolist"):  # an array of another library
        value = value.tolist()
    if not isinstance(value, list | tuple) or not all(isinstance(v, str) or v is None for v in value):
        raise wrong(name, "a list with a name at each step", value)
    return ["" if v is None else v.strip() for v in value]


class SeriesParts:
    """Time steps, the latest alone and those before in ever longer blocks; a missing step lies between its neighbours.

    >>> parts = SeriesParts([1, 9, 3, 4])
    >>> parts.without({1}), parts.without({3}), [unit["label"] for unit in parts.units]
    ([1.0, 2.0, 3.0, 4.0], [1.0, 9.0, 3.0, 3.0], ['-4', '-3', '-2', '-1'])
    """

    kind = "series"
    how = ("interpolated between their neighbours", "held at the value before")

    def __init__(self, value: Any) -> None:
        if isinstance(value, str):
            value = text_numbers("series", value)
        self.values: NDArray[np.float64] = np.asarray(value, np.float64)
        edges = blocks(len(self.values))
        self.units: list[Part] = []
        for start, end in pairwise(edges):
            first, last = start - len(self.values), end - 1 - len(self.values)
            label = str(first) if first == last else f"{first} to {last}"
            self.units.append({"label": label, "start": start, "end": end})

    def without(self, gone: Collection[int], other: bool = False) -> list[float]:
        lost = np.zeros(len(self.values), bool)
        for i in gone:
            lost[self.units[i]["start"] : self.units[i]["end"]] = True
        places, values = np.arange(len(self.values)), self.values.copy()
        if lost.all():
            values[:] = self.values.mean() if len(values) else 0.0
        elif other:
            known = places[~lost]
            values[lost] = self.values[known[np.maximum(np.searchsorted(known, places[lost]) - 1, 0)]]
        else:
            values[lost] = np.interp(places[lost], places[~lost], values[~lost])
        return [float(v) for v in values]

    def shown(self) -> list[float]:
        return [float(v) for v in self.values]

    def facts(self) -> dict[str, Any]:
        return {"values": self.shown()}


class NameParts(SeriesParts):
    """The same with names: a missing step has the name before it, or the one after it.

    >>> parts = NameParts(["a", "b", "c"])
    >>> parts.without({1}), parts.without({1}, other=True), parts.shown()
    (['a', 'a', 'c'], ['a', 'c', 'c'], ['a', 'b', 'c'])
    """

    how = ("as the step before", "as the step after")

    def __init__(self, value: list[str]) -> None:
        super().__init__(np.arange(len(value)))
        self.names = value

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        lost = {step for i in gone for step in range(self.units[i]["start"], self.units[i]["end"])}
        known = [step for step in range(len(self.names)) if step not in lost]
        if not known:
            return [""] * len(self.names)
        before = [max((k for k in known if k <= step), default=known[0]) for step in range(len(self.names))]
        after = [min((k for k in known if k >= step), default=known[-1]) for step in range(len(self.names))]
        return [self.names[k] for k in (after if other else before)]

    def shown(self) -> Any:
        return self.names


def blocks(length: int, most: int = MOST, fine: int = FINE) -> list[int]:
    """Where the parts of a series begin, and its end: the latest steps alone, those before in blocks that grow.

    >>> blocks(3), blocks(12, most=6, fine=3)
    ([0, 1, 2, 3], [0, 5, 8, 9, 10, 11, 12])
    """
    if length <= most:
        return list(range(length + 1))
    growth = np.linspace(0, 1, most - fine + 1)[1:]
    far = length - fine
    power = 1.0
    while round(far * growth[0] ** power) > 1 and power < 20:  # the block next to the fine ones is nearly as fine
        power += 0.25
    ends = sorted({max(i + 1, round(far * g**power)) for i, g in enumerate(growth)})
    return [*(far - e for e in reversed(ends)), *range(far, length + 1)]
