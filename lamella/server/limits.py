"""Limits on requests. Those that a user can set are options of `lamella serve`."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """A request beyond a limit is refused with a message; other requests are not affected."""

    seconds: float = 60.0  # to answer, reading included; a document or an explanation may take ten times as long
    megabytes: float = 8.0  # of a request's body
    queue: int = 256  # requests that wait for one model
    characters: int = 100_000  # of all texts in a request
    values: int = 100_000  # of a series
    examples: int = 1000
    points: int = 64_000_000  # of all pictures in a request, decoded: about three seconds of work
    multiple: float = 25.0  # of an option's usual work, such as the length of a text, for one example
    upload: float = 30.0  # seconds in which a request must have come in whole, and a piece of a reply be taken
    held: float = 128.0  # megabytes of all bodies together, from their first byte to the end of their reply
    kept: float = 64.0  # megabytes of translated files that wait to be fetched
    minutes: float = 15.0  # for which they wait
    scratch: float = 256.0  # megabytes of temporary files
    connections: int = 512  # of all clients
    each: int = 128  # connections of one address; of this machine's own, twice as many

    @property
    def body(self) -> int:
        """Bytes of a body."""
        return int(self.megabytes * 1e6)

    @property
    def patience(self) -> float:
        """Seconds for long work."""
        return 10 * self.seconds
