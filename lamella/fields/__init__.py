"""Kinds of value that an example or an answer is made of, one file each."""

from lamella.fields.audio import Audio
from lamella.fields.base import Field
from lamella.fields.boxes import Boxes
from lamella.fields.ids import Id
from lamella.fields.image import Image
from lamella.fields.label import Label
from lamella.fields.mask import Mask
from lamella.fields.number import Number
from lamella.fields.series import Series
from lamella.fields.text import Text

__all__ = ["Audio", "Boxes", "Field", "Id", "Image", "Label", "Mask", "Number", "Series", "Text"]
