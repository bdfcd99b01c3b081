"""The client's address behind proxies, and the headers that reach Django."""

from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any

import pytest

from exports_project.web.proxies import behind_proxies

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def environ_after(
    environ: dict[str, str], *, proxies: Any = PROXIES, trust_proto: bool = False
) -> Any:
    found: dict[str, str] = {}

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        found.update(environ)
        return []

    behind_proxies(application, proxies, trust_proto)(dict(environ), lambda *_: lambda _: None)
    return found


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("10.1.2.3", "nonsense, 10.9.9.9", "10.9.9.9"),
        ("10.1.2.3", "nonsense", "10.1.2.3"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("fd00::7", "2001:db8::1", "2001:db8::1"),
        ("203.0.113.1", "198.51.100.7", "203.0.113.1"),
        ("::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"),
        ("10.1.2.3", "203.0.113.9, ::ffff:10.9.9.9", "203.0.113.9"),
        ("::ffff:203.0.113.1", "198.51.100.7", "203.0.113.1"),
        # A peer on a UNIX socket.
        ("localhost", "198.51.100.7", "127.0.0.1"),
        ("", "198.51.100.7", ""),
    ],
)
def test_the_client_is_the_last_address_that_is_not_a_proxy(
    peer: str, forwarded: str, client: str
) -> None:
    found = environ_after({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": forwarded})
    assert found == {"REMOTE_ADDR": client}


@pytest.mark.parametrize(
    ("peer", "trust_proto", "kept"),
    [("10.1.2.3", False, True), ("203.0.113.1", False, False), ("203.0.113.1", True, True)],
)
def test_the_forwarded_scheme_is_trusted_from_proxies_or_from_all_peers(
    peer: str, trust_proto: bool, kept: bool
) -> None:
    headers = {
        "HTTP_X_FORWARDED_PROTO": "https",
        "HTTP_X_FORWARDED_HOST": "evil",
        "HTTP_FORWARDED": "x",
    }
    found = environ_after({"REMOTE_ADDR": peer, **headers}, trust_proto=trust_proto)
    expected = {"HTTP_X_FORWARDED_PROTO": "https"} if kept else {}
    assert found == {"REMOTE_ADDR": peer, **expected}
