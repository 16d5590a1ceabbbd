from __future__ import annotations

import socket
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nodegx.runtime.errors import FatalError, RetriableError
from nodegx.runtime.net.addresses import Policy, Zone, resolve, vetted, zone_of

METADATA = [
    "169.254.169.254",
    "169.254.170.2",  # ECS task credentials
    "169.254.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "fe80::1",
    "febf::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "fd20:ce::254",
    "::ffff:169.254.169.254",
    "::ffff:0:169.254.169.254",
    "::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "2001:0000:4136:e378:8000:63bf:5601:5601",  # Teredo client 169.254.169.254
]
PRIVATE = ["127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1"]
PRIVATE += ["100.64.0.1", "198.18.0.1", "::1", "fd12::1", "fc00::1", "::ffff:10.0.0.1"]
UNUSABLE = ["0.0.0.0", "0.1.2.3", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"]
UNUSABLE += ["::", "ff02::1", "::ffff:0.0.0.0", "::ffff:224.0.0.1"]
PUBLIC = ["1.1.1.1", "172.32.0.1", "100.128.0.1", "169.253.255.255", "169.255.0.0"]
PUBLIC += ["2606:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        *((address, Zone.METADATA) for address in METADATA),
        *((address, Zone.PRIVATE) for address in PRIVATE),
        *((address, Zone.UNUSABLE) for address in UNUSABLE),
        *((address, Zone.PUBLIC) for address in PUBLIC),
    ],
)
def test_zone(address: str, zone: Zone) -> None:
    assert zone_of(ip_address(address)) is zone


@given(st.integers(0, 2**32 - 1))
def test_mapping_an_address_into_ipv6_never_makes_it_more_public(number: int) -> None:
    inner = ip_address(number)
    for prefix in ("::ffff:0:0", "64:ff9b::", "::ffff:0:0:0"):
        outer = ip_address(int(ip_address(prefix)) + number)
        if zone_of(inner) is not Zone.PUBLIC:
            assert zone_of(outer) is not Zone.PUBLIC


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "2852039166",  # decimal
        "0xa9fea9fe",  # hexadecimal
        "0251.0376.0251.0376",  # octal
        "169.254.43518",  # the last part counts for two
        "0xa9.0xfe.0xa9.0xfe",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "fd00:ec2::254",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ],
)
def test_metadata_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(FatalError) as caught:
        vetted(host, 80, Policy())
    assert caught.value.code == "http.address"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "017700000001"])
def test_loopback_is_allowed_unless_the_policy_forbids_it(host: str) -> None:
    assert vetted(host, 80, Policy())
    with pytest.raises(FatalError, match="private network"):
        vetted(host, 80, Policy(private=False))


def test_unspecified_is_refused_even_with_every_permission() -> None:
    for host in ("0.0.0.0", "0", "::", "224.0.0.1"):
        with pytest.raises(FatalError):
            vetted(host, 80, Policy(private=True, metadata=True))


def test_metadata_is_allowed_if_asked_for() -> None:
    assert vetted("169.254.169.254", 80, Policy(metadata=True))


def test_the_host_narrows_every_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEGX_NETWORK", "public")
    for host in ("127.0.0.1", "169.254.169.254"):
        with pytest.raises(FatalError):
            vetted(host, 80, Policy(private=True, metadata=True))


def test_only_the_allowed_ones_of_several_addresses_remain() -> None:
    def resolver(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
        names = ["169.254.169.254", "127.0.0.1"]
        return [(socket.AF_INET, (name, port)) for name in names]

    assert vetted("mixed.test", 80, Policy(), resolver) == [(socket.AF_INET, ("127.0.0.1", 80))]


def test_scoped_link_local_addresses_are_recognised() -> None:
    def resolver(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
        return [(socket.AF_INET6, ("fe80::1%eth0", port, 0, 2))]

    with pytest.raises(FatalError, match="link-local"):
        vetted("scoped.test", 80, Policy(), resolver)


def test_unknown_and_unanswered_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(code: int):
        def getaddrinfo(*_: object, **__: object) -> None:
            raise socket.gaierror(code, "no")

        return getaddrinfo

    monkeypatch.setattr(socket, "getaddrinfo", failing(socket.EAI_NONAME))
    with pytest.raises(FatalError, match="no host"):
        resolve("missing.test", 80)
    monkeypatch.setattr(socket, "getaddrinfo", failing(socket.EAI_AGAIN))
    with pytest.raises(RetriableError):
        resolve("slow.test", 80)
