"""Clients by address, with a limit on how many connections and requests each may have at a time."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from lamella.server.replies import Refused

LOCAL = "this machine"


def client_of(address: str) -> str:
    """The key of a client: an IPv4 address, an IPv6 network of 64 bits, or LOCAL for all of this machine's addresses.

    >>> client_of("127.0.0.5") == client_of("::1") == client_of("::ffff:127.0.0.1") == LOCAL
    True
    >>> client_of("10.0.0.7"), client_of("2001:db8::7")
    ('10.0.0.7', '2001:db8::/64')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            return LOCAL if parsed.is_loopback else str(ipaddress.ip_network((parsed, 64), strict=False))
        parsed = parsed.ipv4_mapped
    return LOCAL if parsed.is_loopback else str(parsed)


class Counts(Protocol):
    """How much of something each client has: `lamella.server.common.Tally`."""

    def add(self, client: str, count: int) -> None: ...

    def of(self, client: str) -> int: ...


class Shares:
    """Counts for each client: at most half of the total each, but all of it for clients of this machine."""

    def __init__(self, most: int, counts: Counts) -> None:
        """counts: where clients are counted, also those of the other processes of the server."""
        self._most, self._counts = most, counts

    @contextmanager
    def one(self, address: str) -> Iterator[None]:
        """Count one more during the block; Refused with 503 if the client has reached its share."""
        client = client_of(address)
        if client != LOCAL and self._counts.of(client) >= max(1, self._most // 2):
            raise Refused(503, "too many requests of this address are under way. Ask again in a moment.", 1)
        self._counts.add(client, 1)
        try:
            yield
        finally:
            self._counts.add(client, -1)
