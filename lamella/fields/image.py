"""The kind of value `Image`."""

from lamella.fields.base import Field


class Image(Field, frozen=True, tag="image"):
    """A picture file."""
