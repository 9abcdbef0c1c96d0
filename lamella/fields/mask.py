"""The kind of value `Mask`."""

from lamella.fields.base import Field


class Mask(Field, frozen=True, tag="mask"):
    """A label for every point of a picture."""
