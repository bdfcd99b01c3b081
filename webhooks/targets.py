"""Validation of target URLs, without DNS.

`webhooks.network` checks the addresses of a host at each connection.
"""

import ipaddress
import re

import httpx
import idna
from django.conf import settings

from webhooks.addresses import embedded_ipv4, is_reachable

MAX_TARGET_CHARACTERS = 2048

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAME_CHARACTERS = 253
# Resolvers read such a label as a number, and so the host as an IPv4 address.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Top-level names that resolve only inside a private network.
_PRIVATE_DOMAINS = ("localhost", "local", "internal", "home.arpa")
_PORTS = {"http": 80, "https": 443}


class InvalidTarget(ValueError):
    """A target that webhooks may not be sent to. The message is a sentence for its owner."""


def check_target(url: str) -> None:
    """Raise InvalidTarget unless webhooks may be sent to this URL."""
    if len(url) > MAX_TARGET_CHARACTERS:
        raise InvalidTarget(f"The target must have at most {MAX_TARGET_CHARACTERS} characters.")
    if "\\" in url or any(not char.isprintable() or char.isspace() for char in url):
        raise InvalidTarget(
            "The target must not contain spaces, control characters or backslashes."
        )
    schemes = ("https://", "http://") if settings.WEBHOOK_ALLOW_HTTP else ("https://",)
    if not url.lower().startswith(schemes):
        raise InvalidTarget(f"The target must begin with {' or '.join(schemes)}.")
    if "@" in re.split(r"[/?#]", url.partition("//")[2], maxsplit=1)[0]:
        raise InvalidTarget("The target must not contain a user name or password. Use a header.")
    if "#" in url:
        raise InvalidTarget("The target must not contain a fragment (#…): it is never sent.")
    try:
        # The sender parses it with the same library.
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidTarget(f"The target is not a valid URL: {error}") from error
    _check_port(_PORTS[parsed.scheme] if parsed.port is None else parsed.port)
    _check_host(parsed.raw_host.decode("ascii"))


def host_of(target: str) -> str:
    """Return the host of a target in canonical form, by which the limits per host count.

    A name is in lower case and punycode. An address is in its shortest form; an IPv6 address that
    embeds an IPv4 address is that IPv4 address.
    """
    host = httpx.URL(target).raw_host.decode("ascii")
    try:
        return str(embedded_ipv4(ipaddress.ip_address(host)))
    except ValueError:
        return host


def _check_port(port: int) -> None:
    allowed = settings.WEBHOOK_ALLOWED_PORTS
    if allowed and port not in allowed:
        accepted = ", ".join(map(str, allowed))
        raise InvalidTarget(f"The target's port {port} is not allowed. Allowed ports: {accepted}.")
    if not 1 <= port <= 65_535:
        raise InvalidTarget(
            f"The target's port {port} is not valid. It must be between 1 and 65535."
        )


def _check_host(host: str) -> None:
    """Check a host in ASCII; an IPv6 address has no brackets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        _check_name(host)
    else:
        if not is_reachable(address):
            raise InvalidTarget(f"The target's address {host} is not public.")


def _check_name(name: str) -> None:
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        raise InvalidTarget(
            f'The target\'s host "{name}" is an IPv4 address in an unusual notation. '
            "Write it as four decimal numbers."
        )
    if len(name) > _MAX_NAME_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidTarget(f'The target\'s host "{name}" is not a valid host name.')
    try:
        idna.decode(name)
    except UnicodeError as error:
        raise InvalidTarget(f'The target\'s host "{name}" is not a valid host name.') from error
    private = len(labels) == 1 or any(f".{name}".endswith(f".{end}") for end in _PRIVATE_DOMAINS)
    if private and not settings.WEBHOOK_ALLOWED_NETWORKS:
        raise InvalidTarget(f'The target\'s host "{name}" is not public.')
