"""Answers that draw themselves in a notebook, and are plain lists and dicts for everything else.

    answers = model.predict(["a.png", "b.png"])     in a notebook: the pictures with what was found in them
    answers == [...], json.dumps(answers)           as if they were plain; a copy is plain

What is drawn is what the kind of answer draws (`Field.draw`), else the picture that the task writes with `-o` (such as one with its
boxes), else the picture that was given with the answer below. It is drawn when a notebook asks for it, from the example, which
the answer keeps. Texts and numbers cannot carry a drawing; a list of them can.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from textwrap import shorten
from typing import TYPE_CHECKING, Any

from lamella.errors import LamellaError

if TYPE_CHECKING:  # tasks import much; a model is there before its answers are
    from lamella.task import Answer, Example, Task

MOST = 12  # answers of a list that are drawn
SIDE = 640  # pixels of a picture's longer side
LONGEST = 200  # characters of an answer below its picture
MAP = 560  # pixels of a map's side
Draw = Callable[[], str]


def escape(text: str) -> str:
    """A text as HTML."""
    import html  # late: each command imports this file, and draws nothing

    return html.escape(text)


class Drawn:
    """What lists and dicts that draw themselves share. `_repr_html_` gives None where there is nothing to draw."""

    __slots__ = ()
    _draw: "Draw | tuple[Task, Example, Answer]"  # a function, or what `picture` is given: less to make for each of many answers

    def _repr_html_(self) -> str | None:
        try:
            return (picture(*self._draw) if isinstance(self._draw, tuple) else self._draw()) or None
        except (
            LamellaError,
            OSError,
            ValueError,
            KeyError,
            TypeError,
        ):  # the file has gone, or values were changed since
            return None


class DrawnDict(Drawn, dict[str, Any]):
    """A dict that a notebook shows as a picture."""

    __slots__ = ("_draw",)

    def __init__(self, value: Mapping[str, Any], draw: "Draw | tuple[Task, Example, Answer]") -> None:
        super().__init__(value)
        self._draw = draw

    def __reduce__(self) -> tuple[Any, ...]:  # copied and sent to other processes as what it is without its drawing
        return dict, (dict(self),)


class DrawnList(Drawn, list[Any]):
    """A list that a notebook shows as a picture."""

    __slots__ = ("_draw",)

    def __init__(self, value: Sequence[Any], draw: "Draw | tuple[Task, Example, Answer]") -> None:
        super().__init__(value)
        self._draw = draw

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


class DrawnText(Drawn, str):
    """A text that is a drawing, such as SVG."""

    def __new__(cls, value: str) -> "DrawnText":
        text = super().__new__(cls, value)
        text._draw = lambda: framed(value)
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (str(self),)


def drawn(task: "Task", examples: Sequence["Example"], answers: Sequence["Answer"]) -> "list[Answer]":
    """Answers, each of which draws itself where it is a list or a dict, in a list that draws all of them."""
    each = [_one(task, example, answer) for example, answer in zip(examples, answers, strict=True)]
    return DrawnList(each, lambda: together(task, examples, answers))


def _one(task: "Task", example: "Example", answer: "Answer") -> "Answer":
    if isinstance(answer, dict):
        return DrawnDict(answer, (task, example, answer))
    return DrawnList(answer, (task, example, answer)) if isinstance(answer, list) else answer


def picture(task: "Task", example: "Example", answer: "Answer") -> str:
    """One answer as HTML; "" where its text says all."""
    given = [(field, example[name]) for name, field in task.fields.items() if name in example]
    if own := task.answer.draw(answer, given):
        return own
    shown = [value for field, value in given if field.media == "image"]
    if not shown:
        return ""
    raw = task.output.written(task, ".jpg", [example], [answer])
    text = escape(shorten(task.render(answer), LONGEST, placeholder=" ..."))
    return f'<figure style="margin:0;max-width:{SIDE}px">{image(shown[0] if raw is None else raw)}<div>{text}</div></figure>'


def together(task: "Task", examples: Sequence["Example"], answers: Sequence["Answer"]) -> str:
    """Several answers as HTML: one drawing where their kind has one, such as a map, else each by itself, the first of many."""
    if whole := task.answer.draw_all(answers):
        return framed(whole, MAP)
    tiles = list(_tiles(task, examples[:MOST], answers[:MOST]))
    if not any(tiles):
        return ""
    more = f"<p>and {len(answers) - MOST:,} more</p>" if len(answers) > MOST else ""
    wide = "".join(f'<div style="max-width:45rem">{tile}</div>' for tile in tiles)
    return f'<div style="display:flex;flex-wrap:wrap;gap:1rem">{wide}</div>{more}'


def _tiles(task: "Task", examples: Sequence["Example"], answers: Sequence["Answer"]) -> Iterator[str]:
    for example, answer in zip(examples, answers, strict=True):
        caption = str(example.get("id") or "")  # of a series in a table of several
        tile = picture(task, example, answer)
        yield f"<b>{escape(caption)}</b>{tile}" if tile and caption else tile


def image(value: Any) -> str:
    """A picture as an HTML element that holds it, not larger than a page is wide; a small one enlarged."""
    import base64

    from lamella.data.media.images import open_picture, png_bytes

    opened = open_picture(value).convert("RGB")
    opened.thumbnail((SIDE, SIDE))
    uri = f"data:image/png;base64,{base64.b64encode(png_bytes(opened)).decode()}"
    wide = opened.width * max(1, 160 // max(opened.size))  # a picture of 28 points would be a speck
    pixelated = "image-rendering:pixelated;" if wide > opened.width else ""
    return f'<img src="{uri}" width="{wide}" style="{pixelated}max-width:100%">'


def framed(svg: str, width: int = 0) -> str:
    """A drawing of unknown origin as an HTML element in which no script of its runs."""
    import base64

    uri = f"data:image/svg+xml;base64,{base64.b64encode(svg.encode(errors='replace')).decode()}"
    side = f' width="{width}"' if width else ""
    return f'<img src="{uri}"{side} style="max-width:100%">'


def scores(name: str, result: Mapping[str, Any]) -> str:
    """A score set as an HTML table, what must be read before it first."""
    rows = [("measure", "value", "95% interval", "without a net")]
    for measure, score in result["scores"].items():
        without = result.get("trivial", {}).get(measure)
        between = f"{_number(score['low'])} to {_number(score['high'])}" if result["count"] > 1 else ""
        rows.append((measure, _number(score["value"]), between, "" if without is None else _number(without)))
    cells = [
        [f"<t{k}>{escape(cell)}</t{k}>" for cell in row] for k, row in zip("h" + "d" * len(rows), rows, strict=False)
    ]
    table = "".join(f"<tr>{''.join(row)}</tr>" for row in cells)
    said = "".join(f"<p>{escape(line)}</p>" for line in result.get("remarks", ()))
    about = f"{name}: {result['count']:,} examples"
    return f"{said}<table><caption>{escape(about)}</caption>{table}</table>"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"
