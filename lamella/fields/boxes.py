"""The kind of value `Boxes`."""

from lamella.fields.base import Field


class Boxes(Field, frozen=True, tag="boxes"):
    """Rectangles in a picture, each with a label."""
