"""Who is calling: the address, seen through proxies that are trusted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from .problem import ConfigError

Networks = tuple[IPv4Network | IPv6Network, ...]


def networks(texts: Iterable[str]) -> Networks:
    """Addresses and networks (`10.0.0.0/8`) of proxies to trust.

    Raises:
        ConfigError: one of them is neither.
    """
    try:
        return tuple(ip_network(text, strict=False) for text in texts)
    except ValueError as exc:
        raise ConfigError(f"trusted proxies: {exc}") from None


def trusts(trusted: Networks, address: str) -> bool:
    """Whether `address` belongs to a trusted proxy."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in trusted)


def caller(peer: str, headers: Mapping[str, str], trusted: Networks) -> str:
    """The caller's address.

    That is the peer of the connection, unless the peer is a trusted proxy: then the last address
    in X-Forwarded-For that no trusted proxy has. Whatever stands before it, the caller may have
    made up.
    """
    if not trusted or not trusts(trusted, peer):
        return peer
    address = peer
    for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
        try:
            address = str(ip_address(hop.strip()))
        except ValueError:
            break
        if not trusts(trusted, address):
            break
    return address
