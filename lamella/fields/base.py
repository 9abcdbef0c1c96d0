"""What every kind of value can do. A kind in a file of its own fills in what differs.

    field.parse("past", "1 2 3")        typed on the command line, or a table's cell -> a value
    field.open("image", path)           a file that holds one value
    field.check("past", [1, 2])         from Python -> the value as tasks expect it, or UsageError
    field.receive("past", [1, 2], ...)  from a request: as `check`, but never a name of a file, and bounded
    field.cells(value)                  as it stands in a table
    field.schema(limits)                its JSON schema
    field.split(value)                  its parts, for an explanation
    field.facts()                       what a form must know, its element among it
    field.disturb(value, noise, .5, rng)    the same with noise

Each error says what was expected, what came, and where it helps what to do.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import msgspec

from lamella.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

SHOWN = 60  # characters of a wrong value in an error
LONGEST = 1000  # characters of a label or a name in a request


class Limits(Protocol):
    """How large a value in a request may be."""

    @property
    def characters(self) -> int: ...

    @property
    def values(self) -> int: ...


class TooLarge(UsageError):
    """A value in a request is larger than the limits allow."""


Part = dict[str, Any]
"""A part of a value: its "label", and where it stands."""


class Parts(Protocol):
    """A value cut into parts, of which any may be taken away."""

    kind: str
    units: list[Part]
    how: tuple[str, str]  # the two ways in which a part is taken away, in words

    def without(self, gone: Collection[int], other: bool = False) -> Any:
        """The value with these parts taken away, in the first way or in the other."""

    def shown(self) -> Any:
        """The value as JSON can hold it."""

    def facts(self) -> dict[str, Any]:
        """What a drawing of the parts needs besides them."""


class Field(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """One value of an example or an answer; the kind decides all that verbs, server and page do with it."""

    description: str = ""

    # What verbs ask of a kind instead of asking which kind it is.
    prose: ClassVar[bool] = False  # written language: a line of a file is a value, and a beginning of it is one too
    classes: ClassVar[bool] = False  # one of a few names, so that values can be counted and grouped by it
    numeric: ClassVar[bool] = False  # made of numbers alone
    single: ClassVar[bool] = False  # one part: explained by putting the usual value in its place
    media: ClassVar[str] = ""  # "image" or "audio": a file of its own, `data:image/...` in a request
    suffixes: ClassVar[frozenset[str]] = frozenset()  # of files that hold one value each
    control: ClassVar[str] = "json"  # the form element of the page (lamella/web/form.js)
    noises: ClassVar[tuple[str, ...]] = ()  # kinds of noise that values of this kind meet in practice: `disturb`
    moves: ClassVar[tuple[str, ...]] = ()  # kinds of noise that move what a value shows: `move`

    @property
    def kind(self) -> str:
        """The name of the kind, as in model.json: "text", "boxes"."""
        return str(type(self).__struct_config__.tag)

    @property
    def demands(self) -> bool:
        """Whether a value must hold something besides being of its kind, so that not every text is one."""
        return False

    # ---- a value as it comes ---------------------------------------------------------------------------------------

    def parse(self, name: str, text: str) -> Any:
        """A value from text that was typed or stands in a table's cell; UsageError where it is none."""
        return self.check(name, text)

    def open(self, name: str, path: Path) -> Any:
        """A value from a file that holds one, in whatever encoding; of a picture or a sound the path is the value."""
        from lamella.data.text.encoding import read_text  # only where a file is read

        return self.parse(name, read_text(path)[0].strip())

    def remark(self, answer: Any) -> str:
        """What must be said of an answer besides, such as why it is empty; "" for nothing."""
        return ""

    def decoded(self, value: Any) -> Any:
        """A picture or a sound read ahead, as tasks take it in the place of its file; None: the task's own arrays stand for it."""
        return None

    def locate(self, value: Any, folder: Path) -> Any:
        """A value from a table; what names a file is looked for in the table's own folder first."""
        return value

    def check(self, name: str, value: Any) -> Any:
        """A value from Python as tasks expect it; UsageError where it is of another kind."""
        return value

    def receive(self, name: str, value: Any, limits: Limits) -> Any:
        """A value from a request, decoded from JSON. A name of a file is refused: nothing is loaded for a request.

        Raises UsageError, TooLarge among it.
        """
        return self.check(name, value)

    # ---- a value as it is shown ------------------------------------------------------------------------------------

    def cells(self, value: Any) -> Any:
        """A value as it stands in a table: a dict is a column for each of its entries."""
        return value

    def show(self, value: Any) -> dict[str, Any]:
        """A value in a report: {"text"}, {"image"}, {"series"} or {"boxes"}; {} where only the net's input can be shown."""
        if isinstance(value, Mapping):
            return {"text": ", ".join(f"{k}: {v}" for k, v in value.items())}
        return {"text": str(value)}

    def sketch(self, value: Any) -> list[str]:
        """A value as lines for a terminal: of a series its course, of a picture its shades."""
        text = str(self.show(value).get("text", value))
        return [text.partition(",")[0] if text.startswith("data:") else " ".join(text[:200].split())]

    def draw(self, answer: Any, given: "Sequence[tuple[Field, Any]]") -> str:
        """An answer as HTML for a notebook, beside what was given: fields and their values; "" where text says all."""
        return ""

    def draw_all(self, answers: "Sequence[Any]") -> str:
        """Several answers as one drawing (SVG), such as a map; "" where each is drawn by itself."""
        return ""

    def keep(self, value: Any, most: int) -> Any:
        """A value small enough to travel with a model, at most so many bytes as JSON, or None."""
        return value

    def group(self, value: Any, before: Any = None) -> str:
        """The name of a group of values that are alike in something, "" for none; before: the value that it answers."""
        return ""

    def schema(self, limits: Limits) -> dict[str, Any]:
        """The JSON schema of a value in a request, without its description."""
        return {}

    def facts(self) -> dict[str, Any]:
        """What a form and a drawing must know."""
        return {"kind": self.kind, "description": self.description, "control": self.control}

    # ---- a value disturbed -----------------------------------------------------------------------------------------

    def disturb(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> Any:
        """A value with one of the `noises`, of a strength from 0 to 1; at 0 it is as it was."""
        return value

    def move(self, value: Any, noise: str, strength: float, rng: "np.random.Generator") -> tuple[Any, Any]:
        """A value with one of the `moves`, and where its places went, for `follow` of what speaks of them."""
        return value, None

    def follow(self, value: Any, move: Any) -> Any:
        """An answer to a picture as it is where the picture was moved; by default it does not depend on places."""
        return value

    # ---- how far an answer is to be trusted ------------------------------------------------------------------------

    def confidence(self, answer: Any) -> float | None:
        """How sure an answer says it is, larger where it is surer; None where it says nothing of that."""
        return None

    def right(self, answer: Any, wanted: Any) -> bool | None:
        """Whether an answer whose `confidence` is a probability is the wanted one; None where that is not one or the other."""
        return None

    # ---- a value explained -----------------------------------------------------------------------------------------

    def split(self, value: Any, usual: Any = None) -> Parts:
        """A value cut into parts. usual: what takes the place of a single value; None where nothing can."""
        from lamella.fields.single import SingleParts

        return SingleParts(self.kind, value, usual)

    def usual(self, values: Sequence[Any]) -> Any:
        """What takes the place of a single value that is taken away, by those of other examples; None where nothing can."""
        return None


def wrong(name: str, expected: str, value: Any) -> UsageError:
    """The error for a value of another kind.

    >>> str(wrong("text", "a text", [1]))
    'text: expected a text, received list [1]. Several examples are a list, each of them one value or a dict.'
    """
    try:
        shown = repr(value)
    except Exception:  # an object that cannot even be shown
        shown = "an object"
    kind = type(value).__name__
    received = shown if kind in ("NoneType", "bool", "float", "int") else f"{kind} {shown}"
    hint = ""
    if isinstance(value, bytes | bytearray):
        hint = " Decode it first."
    elif not isinstance(value, str) and hasattr(value, "__iter__"):
        hint = " Several examples are a list, each of them one value or a dict."
    return UsageError(f"{name}: expected {expected}, received {received[:SHOWN]}.{hint}")


def json_kind(value: Any) -> str:
    """What a value decoded from JSON is, in words; a request may hold anything, so the value itself is not repeated."""
    names = {str: "text", bool: "true or false", type(None): "null", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")


def plain_text(name: str, value: Any) -> str:
    """A string of any type as a plain one; UsageError for anything else."""
    if type(value) is str:
        return value
    if not isinstance(value, str):
        raise wrong(name, "a text", value)
    return str.__str__(value)
