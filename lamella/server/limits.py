"""Limits on requests. Those that a user can set are options of `lamella serve`."""

import msgspec


class Limits(msgspec.Struct, frozen=True):
    """A request beyond a limit is refused with a message; other requests are not affected."""

    seconds: float = 60.0  # time to answer, reading included; a document or an explanation may take ten times as long
    megabytes: float = 8.0  # size of a request's body
    queue: int = 256  # requests that wait for one model
    characters: int = 100_000  # length of all texts in a request
    values: int = 100_000  # length of a series
    examples: int = 1000
    points: int = 64_000_000  # pixels of all pictures in a request: about three seconds of decoding
    multiple: float = 25.0  # how much more than the default an option may ask for, such as the length of a text
    upload: float = 30.0  # seconds to receive a whole request, and to send a chunk of a reply
    held: float = 128.0  # megabytes of all request bodies together, until their replies are sent
    kept: float = 64.0  # megabytes of translated files waiting for download
    minutes: float = 15.0  # how long they wait
    scratch: float = 256.0  # megabytes of temporary files
    connections: int = 512  # connections of all clients
    each: int = 128  # connections of one address; twice as many for this machine

    @property
    def body(self) -> int:
        """Bytes of a body."""
        return int(self.megabytes * 1e6)

    @property
    def patience(self) -> float:
        """Seconds for long work."""
        return 10 * self.seconds
