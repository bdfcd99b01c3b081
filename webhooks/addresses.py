"""The IP addresses that webhooks may reach: public ones and WEBHOOK_ALLOWED_NETWORKS.

The forbidden networks are those of IANA's special-purpose address registries. They are listed here
because `ipaddress.is_global` changes between releases of Python.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from django.conf import settings

Address = IPv4Address | IPv6Address

_FORBIDDEN_IPV4 = [
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this network", including the unspecified address
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; includes a cloud's metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # a cloud's metadata service at an otherwise public address
        "169.254.0.0/16",  # link-local; includes most clouds' metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; includes a cloud's metadata service
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; includes broadcast
    )
]
# Everything outside is loopback, unspecified, IPv4-compatible, link-local, site-local, unique
# local, multicast or not allocated.
_PUBLIC_IPV6 = IPv6Network("2000::/3")
_FORBIDDEN_IPV6 = [
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
]
_NAT64 = IPv6Network("64:ff9b::/96")


def is_reachable(address: Address) -> bool:
    """Return whether webhooks may be sent to this address.

    An IPv6 address that embeds an IPv4 address (IPv4-mapped, or the well-known NAT64 prefix) is
    checked as that IPv4 address. An address with a scope id is never reachable.
    """
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        return False
    address = embedded_ipv4(address)
    if any(address in network for network in settings.WEBHOOK_ALLOWED_NETWORKS):
        return True
    if isinstance(address, IPv6Address):
        return address in _PUBLIC_IPV6 and not any(address in each for each in _FORBIDDEN_IPV6)
    return not any(address in network for network in _FORBIDDEN_IPV4)


def embedded_ipv4(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address embeds, or else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
