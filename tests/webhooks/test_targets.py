"""Validation of target URLs, which uses no DNS."""

from ipaddress import ip_network

import pytest
from pytest_django import Settings

from webhooks.targets import MAX_TARGET_CHARACTERS, InvalidTarget, check_target

NOT_PUBLIC = r"is not public\."
UNUSUAL = "an unusual notation"
INVALID_NAME = "is not a valid host name"
INVALID_URL = "is not a valid URL"
CREDENTIALS = "must not contain a user name or password"
CHARACTERS = "must not contain spaces, control characters or backslashes"
SCHEME = "must begin with https://"

REFUSED = {
    # IPv4, by network
    "loopback": ("https://127.0.0.1/", NOT_PUBLIC),
    "loopback, another": ("https://127.255.255.254/", NOT_PUBLIC),
    "unspecified": ("https://0.0.0.0/", NOT_PUBLIC),
    "this network": ("https://0.1.2.3/", NOT_PUBLIC),
    "private, ten": ("https://10.0.0.1/", NOT_PUBLIC),
    "private, 172": ("https://172.31.255.255/", NOT_PUBLIC),
    "private, 192": ("https://192.168.1.1/", NOT_PUBLIC),
    "carrier grade": ("https://100.64.0.1/", NOT_PUBLIC),
    "metadata": ("https://169.254.169.254/latest/meta-data/", NOT_PUBLIC),
    "metadata in CGNAT": ("https://100.100.100.200/", NOT_PUBLIC),
    "metadata in protocols": ("https://192.0.0.192/", NOT_PUBLIC),
    "metadata that looks public": ("https://168.63.129.16/", NOT_PUBLIC),
    "link-local": ("https://169.254.0.1/", NOT_PUBLIC),
    "multicast": ("https://224.0.0.1/", NOT_PUBLIC),
    "reserved": ("https://240.0.0.1/", NOT_PUBLIC),
    "broadcast": ("https://255.255.255.255/", NOT_PUBLIC),
    "benchmarks": ("https://198.19.0.1/", NOT_PUBLIC),
    "documentation, 1": ("https://192.0.2.1/", NOT_PUBLIC),
    "documentation, 2": ("https://198.51.100.1/", NOT_PUBLIC),
    "documentation, 3": ("https://203.0.113.1/", NOT_PUBLIC),
    "6to4 relay": ("https://192.88.99.1/", NOT_PUBLIC),
    # IPv6, by network
    "IPv6 loopback": ("https://[::1]/", NOT_PUBLIC),
    "IPv6 loopback, in full": ("https://[0:0:0:0:0:0:0:1]/", NOT_PUBLIC),
    "IPv6 unspecified": ("https://[::]/", NOT_PUBLIC),
    "IPv6 link-local": ("https://[fe80::1]/", NOT_PUBLIC),
    "IPv6 with a scope": ("https://[fe80::1%25eth0]/", NOT_PUBLIC),
    "IPv6 with a bare scope": ("https://[fe80::1%eth0]/", NOT_PUBLIC),
    "IPv6 public, with a scope": ("https://[2606:4700::1%1]/", NOT_PUBLIC),
    "unique local": ("https://[fd00:ec2::254]/", NOT_PUBLIC),
    "site-local": ("https://[fec0::1]/", NOT_PUBLIC),
    "IPv6 multicast": ("https://[ff02::1]/", NOT_PUBLIC),
    "IPv6 documentation": ("https://[2001:db8::1]/", NOT_PUBLIC),
    "IPv6 documentation, new": ("https://[3fff::1]/", NOT_PUBLIC),
    "IPv6 benchmarks": ("https://[2001:2::1]/", NOT_PUBLIC),
    "IPv6 discard": ("https://[100::1]/", NOT_PUBLIC),
    "segment routing": ("https://[5f00::1]/", NOT_PUBLIC),
    "IPv4-mapped": ("https://[::ffff:127.0.0.1]/", NOT_PUBLIC),
    "IPv4-mapped, in hex": ("https://[::ffff:7f00:1]/", NOT_PUBLIC),
    "IPv4-mapped, in full": ("https://[0:0:0:0:0:ffff:a9fe:a9fe]/", NOT_PUBLIC),
    "IPv4-compatible": ("https://[::127.0.0.1]/", NOT_PUBLIC),
    "IPv4-translated": ("https://[::ffff:0:127.0.0.1]/", NOT_PUBLIC),
    "NAT64": ("https://[64:ff9b::10.0.0.1]/", NOT_PUBLIC),
    "NAT64, in hex": ("https://[64:ff9b::a9fe:a9fe]/", NOT_PUBLIC),
    "NAT64, local": ("https://[64:ff9b:1::8.8.8.8]/", NOT_PUBLIC),
    "6to4": ("https://[2002:7f00:1::1]/", NOT_PUBLIC),
    "Teredo": ("https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/", NOT_PUBLIC),
    # notations of IPv4
    "decimal": ("https://2130706433/", UNUSUAL),
    "hexadecimal": ("https://0x7f000001/", UNUSUAL),
    "hexadecimal, upper case": ("https://0X7F000001/", UNUSUAL),
    "hexadecimal, dotted": ("https://0x7f.0x0.0x0.0x1/", UNUSUAL),
    "octal": ("https://017700000001/", UNUSUAL),
    "octal, dotted": ("https://0177.0.0.1/", INVALID_URL),
    "mixed": ("https://127.0x0.0.1/", UNUSUAL),
    "short, two parts": ("https://127.1/", UNUSUAL),
    "short, three parts": ("https://127.0.1/", UNUSUAL),
    "zero": ("https://0/", UNUSUAL),
    "leading zeros": ("https://127.000.000.001/", INVALID_URL),
    "a dot at the end": ("https://127.0.0.1./", INVALID_NAME),
    "five parts": ("https://127.0.0.0.1/", UNUSUAL),
    "too large": ("https://256.0.0.1/", INVALID_URL),
    "percent-encoded": ("https://%31%32%37.0.0.1/", UNUSUAL),
    "full-width digits": ("https://\uff11\uff12\uff17.0.0.1/", INVALID_URL),
    "circled digits": ("https://\u2460\u2461\u2466.0.0.1/", INVALID_URL),
    "ideographic dots": ("https://127\u30020\u30020\u30021/", NOT_PUBLIC),
    # names
    "localhost": ("https://localhost/", NOT_PUBLIC),
    "localhost, upper case": ("https://LOCALHOST/", NOT_PUBLIC),
    "under localhost": ("https://hooks.localhost/", NOT_PUBLIC),
    "a name without a dot": ("https://postgres/", NOT_PUBLIC),
    "metadata, by name": ("https://metadata.google.internal/", NOT_PUBLIC),
    "multicast DNS": ("https://printer.local/", NOT_PUBLIC),
    "a home": ("https://nas.home.arpa/", NOT_PUBLIC),
    "a dot after a name": ("https://hooks.example.com./", INVALID_NAME),
    "two dots": ("https://hooks..example.com/", INVALID_NAME),
    "a hyphen first": ("https://-hooks.example.com/", INVALID_NAME),
    "an underscore": ("https://my_hooks.example.com/", INVALID_NAME),
    "a label too long": (f"https://{'a' * 64}.example.com/", INVALID_NAME),
    "a name too long": (f"https://{'a.' * 126}example.com/", INVALID_NAME),
    "punycode of nothing": ("https://xn--a.example.com/", INVALID_NAME),
    "a heart": ("https://\u2665.example.com/", INVALID_URL),
    "no host": ("https:///hook", INVALID_NAME),
    "an asterisk": ("https://*.example.com/", INVALID_NAME),
    # around the host
    "a user": ("https://user@example.com/", CREDENTIALS),
    "a password": ("https://user:password@example.com/", CREDENTIALS),
    "an empty user": ("https://@example.com/", CREDENTIALS),
    "a host as user": ("https://example.com@127.0.0.1/", CREDENTIALS),
    "two at signs": ("https://a@example.com@127.0.0.1/", CREDENTIALS),
    "a backslash": ("https://example.com\\@127.0.0.1/", CHARACTERS),
    "a space": ("https://example.com /", CHARACTERS),
    "a line end": ("https://example.com/\r\nHost: 127.0.0.1", CHARACTERS),
    "a tab": ("https://exa\tmple.com/", CHARACTERS),
    "a NUL": ("https://example.com/\0", CHARACTERS),
    "an invisible space": ("https://example.com/\u200b", CHARACTERS),
    "a no-break space": ("https://example.com/\u00a0", CHARACTERS),
    "an unclosed bracket": ("https://[::1/", INVALID_URL),
    "no address in brackets": ("https://[example.com]/", INVALID_URL),
    "a fragment": ("https://example.com/#part", "must not contain a fragment"),
    "too long": ("https://example.com/" + "a" * MAX_TARGET_CHARACTERS, "at most 2048 characters"),
    "SSH": (
        "https://example.com:22/",
        "port 22 is not allowed. Allowed ports: 80, 443, 8080, 8443",
    ),
    "port 0": ("https://example.com:0/", "port 0 is not allowed"),
    "port 65536": ("https://example.com:65536/", "port 65536 is not allowed"),
    "port -1": ("https://example.com:-1/", "port -1 is not allowed"),
    "two ports": ("https://example.com:443:22/", INVALID_URL),
    # schemes
    "http": ("http://example.com/", SCHEME),
    "ftp": ("ftp://example.com/", SCHEME),
    "file": ("file:///etc/passwd", SCHEME),
    "gopher": ("gopher://127.0.0.1:6379/_INFO", SCHEME),
    "data": ("data:text/plain,hello", SCHEME),
    "no scheme": ("example.com/hook", SCHEME),
    "no scheme, two slashes": ("//example.com/hook", SCHEME),
    "one slash": ("https:/example.com/hook", SCHEME),
    "nothing": ("", SCHEME),
}
ACCEPTED = [
    "https://example.com",
    "https://hooks.example.com/longshore?tenant=42&x=%20",
    "HTTPS://Hooks.Example.COM/Path",
    "https://example.com:8443/",
    "https://example.com/@me/path",
    "https://b\u00fccher.example/",
    "https://xn--bcher-kva.example/",
    "https://8.8.8.8/hook",
    "https://[2606:4700:4700::1111]/hook",
    "https://[::ffff:8.8.8.8]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://172.32.0.1/",
    "https://100.128.0.1/",
    "https://1.example.com/",
    "https://0x7f.example.com/",
]


@pytest.fixture
def production(settings: Settings) -> Settings:
    settings.WEBHOOK_ALLOW_HTTP = False
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    settings.WEBHOOK_ALLOWED_PORTS = [80, 443, 8080, 8443]
    return settings


@pytest.mark.parametrize(("url", "message"), REFUSED.values(), ids=REFUSED)
def test_a_forbidden_target_is_refused(production: Settings, url: str, message: str) -> None:
    with pytest.raises(InvalidTarget, match=message):
        check_target(url)


@pytest.mark.parametrize("url", ACCEPTED)
def test_a_public_target_is_accepted(production: Settings, url: str) -> None:
    check_target(url)


@pytest.mark.parametrize("url", ["http://example.com/", "http://example.com:8080/"])
def test_http_is_accepted_if_the_settings_allow_it(production: Settings, url: str) -> None:
    production.WEBHOOK_ALLOW_HTTP = True
    check_target(url)
    with pytest.raises(InvalidTarget, match=r"must begin with https:// or http://\.$"):
        check_target("ftp://example.com/")


def test_private_networks_and_names_are_accepted_if_the_settings_allow_them(
    production: Settings,
) -> None:
    production.WEBHOOK_ALLOWED_NETWORKS = [ip_network("10.1.0.0/16"), ip_network("fd00:1::/64")]
    for url in (
        "https://10.1.2.3/",
        "https://[::ffff:10.1.2.3]/",
        "https://[fd00:1::5]/",
        "https://hooks.internal/",
    ):
        check_target(url)
    for url in ("https://10.2.0.1/", "https://127.0.0.1/", "https://[fd00:1:0:1::5]/"):
        with pytest.raises(InvalidTarget, match=NOT_PUBLIC):
            check_target(url)


def test_all_valid_ports_are_accepted_if_the_settings_name_none(production: Settings) -> None:
    production.WEBHOOK_ALLOWED_PORTS = []
    check_target("https://example.com:22/")
    for port in (0, 65_536):
        with pytest.raises(
            InvalidTarget, match=f"port {port} is not valid. It must be between 1 and 65535"
        ):
            check_target(f"https://example.com:{port}/")


def test_local_targets_are_accepted_with_the_embedded_servers() -> None:
    for url in ("http://127.0.0.1:9000/hook", "http://localhost:9000/", "http://[::1]:9000/"):
        check_target(url)
    with pytest.raises(InvalidTarget, match=NOT_PUBLIC):
        check_target("http://10.0.0.1/")
