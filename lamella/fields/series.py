"""The kind of value `Series`."""

from lamella.fields.base import Field


class Series(Field, frozen=True, tag="series"):
    """Numbers in order of time."""
