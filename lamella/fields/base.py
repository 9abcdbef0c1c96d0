"""What all kinds of value share."""

import msgspec


class Field(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    """One value of an example; the kind decides its flag, its place in a table and how it is explained."""

    description: str = ""
