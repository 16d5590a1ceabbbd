"""Which addresses may be connected to.

A workflow often calls URLs that somebody else chose. Were it to reach the metadata service of its
cloud, that somebody would get the credentials of the machine. Names are therefore resolved here,
once, and connections go to the addresses that passed: what a name server answers a moment later
changes nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from nodegx.runtime.errors import FatalError, RetriableError

Address = IPv4Address | IPv6Address
SocketAddress = tuple[socket.AddressFamily, tuple[Any, ...]]
Resolver = Callable[[str, int], list[SocketAddress]]

CODE = "http.address"
_NETWORK_VARIABLE = "NODEGX_NETWORK"


class Zone(StrEnum):
    """What an address belongs to."""

    PUBLIC = "public"
    PRIVATE = "private"  # loopback and private networks
    METADATA = "metadata"  # link-local, and the metadata services of clouds
    UNUSABLE = "unusable"  # unspecified, multicast, broadcast, reserved


class Policy(NamedTuple):
    """What a request may reach besides public addresses."""

    private: bool = True
    metadata: bool = False

    def within_host(self) -> Policy:
        """This policy, narrowed by the host's: with the environment variable NODEGX_NETWORK set to
        `public`, nothing but public addresses is reached, whatever a workflow says."""
        if os.environ.get(_NETWORK_VARIABLE) == "public":
            return Policy(private=False, metadata=False)
        return self

    def allows(self, zone: Zone) -> bool:
        """Whether addresses of a zone may be connected to."""
        if zone is Zone.PRIVATE:
            return self.private
        return zone is Zone.PUBLIC or (zone is Zone.METADATA and self.metadata)


# The first network that holds an address decides.
_ZONES: tuple[tuple[str, Zone], ...] = (
    ("169.254.0.0/16", Zone.METADATA),
    ("100.100.100.200/32", Zone.METADATA),  # Alibaba Cloud
    ("168.63.129.16/32", Zone.METADATA),  # Azure
    ("192.0.0.192/32", Zone.METADATA),  # Oracle Cloud
    ("fe80::/10", Zone.METADATA),
    ("fd00:ec2::/32", Zone.METADATA),  # AWS
    ("fd20:ce::254/128", Zone.METADATA),  # Google Cloud
    ("fd00:42::42/128", Zone.METADATA),  # Scaleway
    ("0.0.0.0/8", Zone.UNUSABLE),
    ("224.0.0.0/4", Zone.UNUSABLE),
    ("240.0.0.0/4", Zone.UNUSABLE),
    ("::/128", Zone.UNUSABLE),
    ("ff00::/8", Zone.UNUSABLE),
    ("127.0.0.0/8", Zone.PRIVATE),
    ("10.0.0.0/8", Zone.PRIVATE),
    ("172.16.0.0/12", Zone.PRIVATE),
    ("192.168.0.0/16", Zone.PRIVATE),
    ("100.64.0.0/10", Zone.PRIVATE),
    ("192.0.0.0/24", Zone.PRIVATE),
    ("192.0.2.0/24", Zone.PRIVATE),
    ("198.18.0.0/15", Zone.PRIVATE),
    ("198.51.100.0/24", Zone.PRIVATE),
    ("203.0.113.0/24", Zone.PRIVATE),
    ("::1/128", Zone.PRIVATE),
    ("fc00::/7", Zone.PRIVATE),
    ("fec0::/10", Zone.PRIVATE),
    ("100::/64", Zone.PRIVATE),
    ("2001:db8::/32", Zone.PRIVATE),
)
_NETWORKS: tuple[tuple[IPv4Network | IPv6Network, Zone], ...] = tuple(
    (ip_network(network), zone) for network, zone in _ZONES
)
# IPv6 networks whose addresses carry an IPv4 address, which a gateway may connect to, and the bit
# where it begins counting from the right.
_EMBEDDINGS: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),  # mapped
    (IPv6Network("::ffff:0:0:0/96"), 0),  # translated
    (IPv6Network("::/96"), 0),  # compatible
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64
    (IPv6Network("64:ff9b:1::/48"), 0),  # NAT64, local
    (IPv6Network("2002::/16"), 80),  # 6to4
)
_METADATA_NAMES = frozenset(
    {"metadata.google.internal", "metadata.goog", "instance-data.ec2.internal"}
)
_SEVERITY = (Zone.UNUSABLE, Zone.METADATA, Zone.PRIVATE, Zone.PUBLIC)


def zone_of(address: Address) -> Zone:
    """The zone of an address; of an IPv6 address that carries an IPv4 address, the stricter of
    both zones."""
    own = next((zone for network, zone in _NETWORKS if address in network), Zone.PUBLIC)
    inner = [zone_of(embedded) for embedded in _embedded(address)]
    return min((own, *inner), key=_SEVERITY.index)


def _embedded(address: Address) -> Iterator[IPv4Address]:
    if not isinstance(address, IPv6Address) or int(address) <= 1:  # `::` and `::1` carry none
        return
    for network, shift in _EMBEDDINGS:
        if address in network:
            yield IPv4Address(int(address) >> shift & 0xFFFFFFFF)
    if address.teredo is not None:
        yield from address.teredo


def resolve(host: str, port: int) -> list[SocketAddress]:
    """All addresses of a host, in the order the system prefers. Blocks.

    Raises:
        FatalError: code `http.dns`, there is no such host.
        RetriableError: code `http.dns`, the name server did not answer.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno == socket.EAI_NONAME:
            raise FatalError(f"there is no host `{host}`", code="http.dns") from None
        raise RetriableError(
            f"the address of `{host}` could not be found: {error.strerror}", code="http.dns"
        ) from None
    except UnicodeError:
        raise FatalError(f"`{host}` is not the name of a host", code="http.dns") from None
    return [(family, address) for family, _, _, _, address in found]


def vetted(
    host: str, port: int, policy: Policy, resolver: Resolver = resolve
) -> list[SocketAddress]:
    """The addresses of a host that a policy allows.

    Raises:
        FatalError: code `http.address`, there is none.
    """
    policy = policy.within_host()
    if host.lower().rstrip(".") in _METADATA_NAMES and not policy.metadata:
        raise _refusal(host, Zone.METADATA)
    addresses = resolver(host, port)
    zones = [zone_of(ip_address(str(address[0]).partition("%")[0])) for _, address in addresses]
    allowed = [
        address for address, zone in zip(addresses, zones, strict=True) if policy.allows(zone)
    ]
    if not allowed:
        raise _refusal(host, zones[0] if zones else Zone.UNUSABLE)
    return allowed


_REFUSALS = {
    Zone.METADATA: "is a link-local address or the metadata service of a cloud, which workflows "
    "must not reach unless `allowMetadata` is set",
    Zone.PRIVATE: "is on a private network, which `allowPrivateNetwork` or the host forbids",
    Zone.UNUSABLE: "is not an address that can be called",
    Zone.PUBLIC: "has no address",
}


def _refusal(host: str, zone: Zone) -> FatalError:
    return FatalError(f"`{host}` {_REFUSALS[zone]}", code=CODE, details={"zone": str(zone)})
