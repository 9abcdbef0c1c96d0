"""The kind of value `Text`."""

from lamella.fields.base import Field


class Text(Field, frozen=True, tag="text"):
    """A string of any length."""
