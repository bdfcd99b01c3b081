"""Which addresses a subscription may name. What a name leads to is checked at each connection."""

import ipaddress
import re

import httpx
import idna
from django.conf import settings

from webhooks.addresses import actual, reachable

MAX_LENGTH = 2048

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAME = 253
# What resolvers take for a number, and so for (a part of) an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Names that only mean something inside of a network.
_PRIVATE_NAMES = ("localhost", "local", "internal", "home.arpa")
_PORTS = {"http": 80, "https": 443}


class InvalidTarget(ValueError):
    """A target that webhooks are not sent to; the message is a sentence for its owner."""


def check_target(url: str) -> None:
    """Raise InvalidTarget unless webhooks may be sent to this URL. Asks no DNS."""
    if len(url) > MAX_LENGTH:
        raise InvalidTarget(f"The target must have at most {MAX_LENGTH} characters.")
    if "\\" in url or any(not char.isprintable() or char.isspace() for char in url):
        raise InvalidTarget("The target must hold no spaces, control characters or backslashes.")
    schemes = ("https://", "http://") if settings.WEBHOOK_ALLOW_HTTP else ("https://",)
    if not url.lower().startswith(schemes):
        raise InvalidTarget(f"The target must begin with {' or '.join(schemes)}.")
    if "@" in re.split(r"[/?#]", url.partition("//")[2], maxsplit=1)[0]:
        raise InvalidTarget("The target must hold no user name or password; use a header.")
    if "#" in url:
        raise InvalidTarget("The target must have no fragment (#…), which is never sent.")
    try:
        # What sends to it reads it the same way.
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidTarget(f"The target is not a valid URL: {error}") from error
    _check_port(_PORTS[parsed.scheme] if parsed.port is None else parsed.port)
    _check_host(parsed.raw_host.decode("ascii"))


def host_of(target: str) -> str:
    """Return the host of a target in one spelling: limits of a host compare it.

    A name is in lower case and in punycode, as it is resolved; an address is in its shortest form,
    and an IPv4 address inside an IPv6 one is the IPv4 address.
    """
    host = httpx.URL(target).raw_host.decode("ascii")
    try:
        return str(actual(ipaddress.ip_address(host)))
    except ValueError:
        return host


def _check_port(port: int) -> None:
    allowed = settings.WEBHOOK_ALLOWED_PORTS
    if allowed and port not in allowed:
        accepted = ", ".join(map(str, allowed))
        raise InvalidTarget(f"The target's port is {port}, but must be one of {accepted}.")
    if not 1 <= port <= 65_535:
        raise InvalidTarget(f"The target's port is {port}, but must be 1 to 65535.")


def _check_host(host: str) -> None:
    """Of a host in ASCII, an IPv6 address without its brackets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        _check_name(host)
    else:
        if not reachable(address):
            raise InvalidTarget(f"The target's address, {host}, is not a public one.")


def _check_name(name: str) -> None:
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise InvalidTarget(
            f'The target\'s host, "{name}", is an address in an unusual notation; '
            "an IPv4 address must be four decimal numbers."
        )
    if len(name) > _MAX_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidTarget(f'The target\'s host, "{name}", is not a valid host name.')
    try:
        idna.decode(name)
    except UnicodeError as error:
        raise InvalidTarget(f'The target\'s host, "{name}", is not a valid host name.') from error
    private = len(labels) == 1 or any(f".{name}".endswith(f".{end}") for end in _PRIVATE_NAMES)
    if private and not settings.WEBHOOK_ALLOWED_NETWORKS:
        raise InvalidTarget(f'The target\'s host, "{name}", is not a public one.')
