"""The kind of value `Audio`."""

from lamella.fields.base import Field


class Audio(Field, frozen=True, tag="audio"):
    """A sound file."""
