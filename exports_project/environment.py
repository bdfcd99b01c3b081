"""Readers of environment variables, which refuse wrong values at the start.

Every reader raises ImproperlyConfigured, which names the variable, its value and the accepted form.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()
# The limits of Django's own check of SECRET_KEY, which only warns.
MIN_SECRET_LENGTH = 50
MIN_SECRET_CHARACTERS = 5


def integer(name: str, default: int, minimum: int = 0, maximum: int | None = None) -> int:
    """Return a whole number between minimum and maximum, both included."""
    text = env(name, default="") or str(default)
    accepted = f"{minimum} to {maximum}" if maximum else f"{minimum} or more"
    if not re.fullmatch(r"[0-9]{1,18}", text) or not minimum <= int(text) <= (maximum or int(text)):
        raise ImproperlyConfigured(f'{name} is "{text}", but must be a whole number, {accepted}.')
    return int(text)


def choice(name: str, default: str, accepted: Sequence[str]) -> str:
    """Return one of the accepted words."""
    text: str = env(name, default="") or default
    if text not in accepted:
        raise ImproperlyConfigured(f'{name} is "{text}", but must be {" or ".join(accepted)}.')
    return text


def queue_prefix(name: str) -> str:
    """Return letters, digits, dots, underscores and hyphens; "" for no prefix."""
    text: str = env(name, default="")
    if not re.fullmatch(r"[A-Za-z0-9._-]{0,40}", text):
        raise ImproperlyConfigured(
            f'{name} is "{text}", but must be up to 40 letters, digits, dots, underscores and '
            "hyphens, such as longshore."
        )
    return text


def base_url(name: str, default: str) -> str:
    """Return a scheme, a host and an optional port, without a trailing slash."""
    text: str = (env(name, default="") or default).rstrip("/")
    if not re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+", text):
        raise ImproperlyConfigured(
            f'{name} is "{text}", but must be like https://longshore.example.com.'
        )
    return text


def secret(name: str) -> str:
    """Return a secret, or "" if it is not set. Error messages do not contain it."""
    text: str = env(name, default="")
    if text and (len(text) < MIN_SECRET_LENGTH or len(set(text)) < MIN_SECRET_CHARACTERS):
        raise ImproperlyConfigured(
            f"{name} has {len(text)} characters, {len(set(text))} of them different, but must "
            f"have at least {MIN_SECRET_LENGTH}, {MIN_SECRET_CHARACTERS} of them different. "
            "Generate one: python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return text


def rate(name: str, default: str) -> str:
    """Return a number of requests per period, such as "600/min"; "" for no limit."""
    text: str = env(name, default=default)
    if text and not re.fullmatch(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)", text):
        raise ImproperlyConfigured(
            f'{name} is "{text}", but must be a number per second, min, hour or day, '
            "such as 600/min, or empty for no limit."
        )
    return text


def networks(name: str, default: Sequence[str]) -> list[IPv4Network | IPv6Network]:
    """Return networks of IP addresses, which are separated by commas."""
    found = []
    for text in env.list(name, default=list(default)):
        try:
            found.append(ip_network(text.strip()))
        except ValueError as error:
            raise ImproperlyConfigured(
                f'{name} holds "{text}", but must be networks such as 10.1.0.0/16 or '
                "fd00:1::/64, separated by commas."
            ) from error
    return found


def ports(name: str, default: Sequence[int]) -> list[int]:
    """Return port numbers, which are separated by commas; none stands for all."""
    texts = env.list(name, default=[str(port) for port in default])
    for text in texts:
        if not re.fullmatch(r"[0-9]{1,5}", text.strip()) or not 1 <= int(text) <= 65_535:
            raise ImproperlyConfigured(
                f'{name} holds "{text}", but must be numbers, 1 to 65535, separated by commas, '
                "or empty for all."
            )
    return [int(text) for text in texts]


def postgres(name: str) -> dict[str, Any]:
    """Return the `DATABASES` entry of a URL. Error messages do not contain its password."""
    scheme, separator, rest = env(name).partition("://")
    try:
        database: dict[str, Any] = env.db(name) if separator and rest else {}
    except ValueError:
        database = {}
    if scheme not in ("postgres", "postgresql") or not database.get("NAME"):
        raise ImproperlyConfigured(
            f'{name} is "{scheme}{separator and "://…"}", '
            "but must be like postgres://user:password@host:5432/name."
        )
    return database
