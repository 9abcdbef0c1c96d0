"""Pages of other origins that may ask: Cross-Origin Resource Sharing, as the Fetch standard describes it.

None may unless `lamella serve --allow-origin ORIGIN` names it. Then every reply to it says so, errors too, since the page
could not read them otherwise; and a browser that asks beforehand whether a request may be sent (a preflight) gets an answer.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response

from lamella.errors import UsageError

ANY = "*"
PORTS = {"http": 80, "https": 443}
METHODS = "GET, POST"
FIELDS = "Accept, Authorization, Content-Type"  # header fields that a page may set; tokens are not read
EXPOSED = "Content-Disposition, Retry-After, X-Lamella-Counts"  # header fields of a reply that a page may read
DAY = 86400  # seconds that a browser may remember the answer to a preflight
_HOST = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]")


def read_origin(given: str) -> str:
    """An origin as browsers send it: scheme, host, and the port where it is not the usual one.

    Raises UsageError for anything else, since it would never match.

    >>> read_origin("https://Example.org:443"), read_origin("moz-extension://0b1c"), read_origin("*")
    ('https://example.org', 'moz-extension://0b1c', '*')
    """
    text = given.strip().lower()
    if text == ANY:
        return ANY
    expected = (
        f"--allow-origin {given!r}: expected an origin such as https://example.org or http://localhost:3000, or '*'"
    )
    if text == "null":
        raise UsageError(f"{expected}. null is the origin of every page in a sandbox: name '*' if you mean any.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{expected}.") from error
    host = parts.netloc.rpartition("@")[2].removesuffix(f":{port}")
    if not parts.scheme or "://" not in text:
        raise UsageError(f"{expected}, with its scheme.")
    if ANY in text:
        raise UsageError(f"{expected}. Name each host; a part of one cannot be left open.")
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc or "?" in text or "#" in text:
        raise UsageError(f"{expected}, without a path or a user: {parts.scheme}://{host}{f':{port}' if port else ''}")
    if not text.isascii():
        raise UsageError(f"{expected}, the host as browsers send it: in ASCII, xn--...")
    if not _HOST.fullmatch(host) or parts.netloc.endswith(":"):
        raise UsageError(f"{expected}.")
    return f"{parts.scheme}://{host}" + (f":{port}" if port is not None and port != PORTS.get(parts.scheme) else "")


class Origins:
    """The origins whose pages may ask."""

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self.allowed = frozenset(map(read_origin, allowed))

    def may(self, headers: Headers) -> bool:
        """Whether a request comes from a page of an allowed origin."""
        origin = headers.get("origin")
        return origin is not None and (ANY in self.allowed or origin.lower() in self.allowed)

    def mark(self, asked: Headers, reply: MutableHeaders) -> None:
        """Say in the header fields of a reply that the page which asked may read it."""
        if not self.allowed:
            return
        reply["Vary"] = "Origin"  # a cache must not give the reply for one origin to another
        if self.may(asked):
            reply["Access-Control-Allow-Origin"] = ANY if ANY in self.allowed else asked["origin"]
            reply["Access-Control-Expose-Headers"] = EXPOSED
            reply["Cross-Origin-Resource-Policy"] = "cross-origin"

    def preflight(self, method: str, asked: Headers) -> Response | None:
        """The answer to a browser that asks whether a page of an allowed origin may send a request; else None."""
        if method != "OPTIONS" or "access-control-request-method" not in asked or not self.may(asked):
            return None
        fields = {
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Allow-Headers": FIELDS,
            "Access-Control-Max-Age": str(DAY),
        }
        if asked.get("access-control-request-private-network") == "true":  # a public site asks a server at home
            fields["Access-Control-Allow-Private-Network"] = "true"
        return Response(None, 204, fields)
