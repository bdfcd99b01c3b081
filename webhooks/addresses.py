"""Which IP addresses webhooks may reach: public ones, and those of WEBHOOK_ALLOWED_NETWORKS.

The networks are those of IANA's registries of special-purpose addresses, written out: what
`ipaddress` takes to be global changes from one release of Python to the next.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from django.conf import settings

Address = IPv4Address | IPv6Address

_FORBIDDEN_IPV4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network, and the unspecified address
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # a provider's own (CGNAT); one cloud's metadata
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # one cloud's metadata, at an address that looks public
        "169.254.0.0/16",  # link-local; most clouds' metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocols; one cloud's metadata
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
]
# All else is loopback, unspecified, IPv4-compatible, link-local, site-local, unique local,
# multicast, or given to nobody yet.
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_FORBIDDEN_IPV6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocols: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")


def reachable(address: Address) -> bool:
    """Whether webhooks may be sent to this address.

    An IPv4 address inside an IPv6 one (mapped, or behind the well-known prefix of NAT64) decides
    for both. One that names a network card is never reachable.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    address = actual(address)
    if any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return True
    if isinstance(address, IPv6Address):
        return address in _PUBLIC_IPV6 and not any(address in each for each in _FORBIDDEN_IPV6)
    return not any(address in network for network in _FORBIDDEN_IPV4)


def actual(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one, or else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
