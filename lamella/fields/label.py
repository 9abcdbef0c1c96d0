"""The kind of value `Label`."""

from lamella.fields.base import Field


class Label(Field, frozen=True, tag="label"):
    """One of a few names."""
