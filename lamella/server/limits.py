"""How much one request may ask for. What a user may set stands in the command line's help."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """Beyond these a request is refused with a line that says so, and others are still answered."""

    seconds: float = 60.0  # to answer; a document or an explanation may take ten times as long
    megabytes: float = 8.0  # of a request's body
    queue: int = 256  # requests that wait for one model
    characters: int = 100_000  # of all texts in a request
    values: int = 100_000  # of a series
    examples: int = 1000
    upload: float = 30.0  # seconds in which a request must have come in whole
    held: float = 128.0  # megabytes of all bodies together, while they come in
    kept: float = 64.0  # megabytes of translated files that wait to be fetched
    minutes: float = 15.0  # for which they wait

    @property
    def body(self) -> int:
        """Bytes of a body."""
        return int(self.megabytes * 1e6)

    @property
    def patience(self) -> float:
        """Seconds for long work."""
        return 10 * self.seconds
