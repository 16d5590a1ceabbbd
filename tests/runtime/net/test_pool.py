from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from nodegx.runtime.net.connection import Route
from nodegx.runtime.net.pool import Pool

ROUTE = Route("http", "h.example", 80)


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(6)]
    yield made
    for pair in made:
        for end in pair:
            end.close()


Pairs = list[tuple[socket.socket, socket.socket]]


def test_the_last_one_given_is_taken_first(pairs: Pairs) -> None:
    pool = Pool()
    for mine, _ in pairs[:2]:
        pool.give(ROUTE, mine)
    assert pool.take(ROUTE) is pairs[1][0]
    assert pool.take(ROUTE) is pairs[0][0]
    assert pool.take(ROUTE) is None
    assert len(pool) == 0


def test_connections_of_other_routes_are_left_alone(pairs: Pairs) -> None:
    pool = Pool()
    pool.give(ROUTE, pairs[0][0])
    assert pool.take(ROUTE._replace(port=81)) is None
    assert pool.take(ROUTE._replace(verify_tls=False)) is None
    assert pool.take(ROUTE._replace(policy=ROUTE.policy._replace(metadata=True))) is None


def test_closed_and_talkative_connections_are_dropped(pairs: Pairs) -> None:
    pool = Pool()
    (closed, its_server), (talkative, other_server) = pairs[:2]
    pool.give(ROUTE, closed)
    pool.give(ROUTE, talkative)
    its_server.close()
    other_server.send(b"HTTP/1.1 408 Request Timeout\r\n\r\n")
    assert pool.take(ROUTE) is None
    assert closed.fileno() == talkative.fileno() == -1


def test_old_connections_are_dropped(pairs: Pairs) -> None:
    pool = Pool(idle_seconds=0)
    pool.give(ROUTE, pairs[0][0])
    assert pool.take(ROUTE) is None


def test_numbers_are_limited(pairs: Pairs) -> None:
    pool = Pool(per_route=2, total=3)
    for mine, _ in pairs[:3]:
        pool.give(ROUTE, mine)
    assert len(pool) == 2
    assert pairs[0][0].fileno() == -1
    other = ROUTE._replace(port=81)
    for mine, _ in pairs[3:5]:
        pool.give(other, mine)
    assert len(pool) == 3
    assert pairs[1][0].fileno() == -1
    pool.clear()
    assert len(pool) == 0
    assert all(mine.fileno() == -1 for mine, _ in pairs[:5])
