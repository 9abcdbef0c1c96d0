"""The kind of value `Gallery`: several pictures, as an answer that draws."""

from collections.abc import Sequence
from html import escape
from typing import Any

from lamella.fields.base import Field, Limits


class Gallery(Field, frozen=True, tag="gallery"):
    """A list of pictures, each a `data:image/...` URI."""

    def cells(self, value: Any) -> Any:
        """
        >>> Gallery().cells(["data:image/png;base64,AA=="])
        {'picture_1': 'data:image/png;base64,AA=='}
        """
        return {f"picture_{i}": one for i, one in enumerate(value, start=1)} if isinstance(value, list) else value

    def show(self, value: Any) -> dict[str, Any]:
        if isinstance(value, list) and len(value) == 1:
            return {"image": value[0]}
        return {"text": f"{len(value)} pictures"} if isinstance(value, list) else super().show(value)

    def draw(self, answer: Any, given: Sequence[tuple[Field, Any]]) -> str:
        """
        >>> Gallery().draw(["data:image/png;base64,AA=="], []).count("<img")
        1
        """
        made = [one for one in answer if str(one).startswith("data:image/")] if isinstance(answer, list) else []
        return "".join(f'<img src="{escape(one)}" width="112" style="image-rendering:pixelated">' for one in made)

    def schema(self, limits: Limits) -> dict[str, Any]:
        return {"type": "array", "items": {"type": "string", "pattern": "^data:image/"}, "maxItems": limits.values}
