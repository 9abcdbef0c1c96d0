"""The kind of value `Number`."""

from lamella.fields.base import Field


class Number(Field, frozen=True, tag="number"):
    """One number."""
