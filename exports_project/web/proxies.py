"""Client address and scheme of requests, from the forwarded headers that are trusted."""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Removed from every request after reading, so that no later code can trust them.
_HEADERS = ("FORWARDED", "X_FORWARDED_FOR", "X_FORWARDED_HOST", "X_FORWARDED_PORT")


def behind_proxies(
    application: "WSGIApplication",
    proxies: Sequence[IPv4Network | IPv6Network],
    trust_proto: bool,
) -> "WSGIApplication":
    """Wrap a WSGI application so that `REMOTE_ADDR` is the client's address.

    If the peer is one of `proxies`, the client is the last address of `X-Forwarded-For` that is not
    a proxy; everything before it may be forged. `X-Forwarded-Proto` is kept for requests of these
    proxies, or of every peer with `trust_proto`. All other forwarded headers are removed.
    """

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        peer = environ["REMOTE_ADDR"] = _peer(environ.get("REMOTE_ADDR", ""))
        trusted = _is_proxy(peer, proxies)
        if trusted:
            environ["REMOTE_ADDR"] = _client(environ.get("HTTP_X_FORWARDED_FOR", ""), peer, proxies)
        elif not trust_proto:
            environ.pop("HTTP_X_FORWARDED_PROTO", None)
        for name in _HEADERS:
            environ.pop(f"HTTP_{name}", None)
        return application(environ, start_response)

    return wrapped


def _client(forwarded: str, peer: str, proxies: Sequence[IPv4Network | IPv6Network]) -> str:
    client = peer
    for text in reversed(forwarded.split(",")):
        try:
            client = str(_address(text.strip()))
        except ValueError:
            break
        if not _is_proxy(client, proxies):
            break
    return client


def _peer(text: str) -> str:
    """Normalize the address of a peer. Waitress reports `localhost` for a UNIX socket."""
    try:
        return str(_address("127.0.0.1" if text == "localhost" else text))
    except ValueError:
        return text


def _address(text: str) -> IPv4Address | IPv6Address:
    """Parse an address. Raises ValueError.

    An IPv6 socket reports IPv4 clients as `::ffff:192.0.2.1`; the result is the IPv4 address.
    """
    address = ip_address(text)
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _is_proxy(text: str, proxies: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = _address(text)
    except ValueError:
        return False
    return any(address in network for network in proxies)
