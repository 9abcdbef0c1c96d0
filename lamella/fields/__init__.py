"""Kinds of value that an example or an answer is made of, one file each.

A kind is imported when it is first named: a text is translated without loading what pictures need.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lamella.fields.base import Field, Limits, Part, Parts, TooLarge

if TYPE_CHECKING:
    from lamella.fields.audio import Audio
    from lamella.fields.boxes import Boxes
    from lamella.fields.conclusion import Conclusion
    from lamella.fields.gallery import Gallery
    from lamella.fields.ids import Id
    from lamella.fields.image import Image
    from lamella.fields.items import Items
    from lamella.fields.label import Label
    from lamella.fields.marked import Marked
    from lamella.fields.mask import Mask
    from lamella.fields.matches import Matches
    from lamella.fields.number import Number
    from lamella.fields.ranking import Ranking
    from lamella.fields.region import Region
    from lamella.fields.row import Row
    from lamella.fields.series import Series
    from lamella.fields.text import Text
    from lamella.fields.transcript import Transcript
    from lamella.fields.vector import Vector

__all__ = [
    "Audio",
    "Boxes",
    "Conclusion",
    "Field",
    "Gallery",
    "Id",
    "Image",
    "Items",
    "Label",
    "Limits",
    "Marked",
    "Mask",
    "Matches",
    "Number",
    "Part",
    "Parts",
    "Ranking",
    "Region",
    "Row",
    "Series",
    "Text",
    "TooLarge",
    "Transcript",
    "Vector",
]

_PLACES = {"Id": "ids"}  # of the others the file has the name of the kind


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'lamella.fields' has no attribute {name!r}")
    return getattr(importlib.import_module(f"lamella.fields.{_PLACES.get(name, name.lower())}"), name)
