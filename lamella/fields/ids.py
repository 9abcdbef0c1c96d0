"""The kind of value `Id`."""

from lamella.fields.base import Field


class Id(Field, frozen=True, tag="id"):
    """The name of a user, an item or an entity."""
