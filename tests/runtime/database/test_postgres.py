from __future__ import annotations

import contextlib
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from nodegx.runtime.database.base import Schema
from nodegx.runtime.database.postgres import PostgresDatabase
from nodegx.runtime.database.postgres_pool import split_url
from nodegx.runtime.errors import FatalError, NodegxError, StoreUnavailable

from tests.support.postgres import PASSWORD, USER, Cluster, postgres

pytestmark = pytest.mark.slow

THINGS = Schema(
    "thing_migrations", (("CREATE TABLE things (id {text} PRIMARY KEY, data {blob})",),)
)

Open = Callable[..., PostgresDatabase]


@pytest.fixture
def url() -> Iterator[str]:
    with postgres().schema() as url:
        yield url


@pytest.fixture
def open_database(url: str) -> Iterator[Open]:
    """Opens the same schema with every call."""
    with contextlib.ExitStack() as stack:

        def opened(**options: Any) -> PostgresDatabase:
            database = PostgresDatabase(url, "The store", **options)
            stack.callback(database.close)
            database.migrate(THINGS)
            return database

        yield opened


@pytest.fixture
def own_server() -> Iterator[Cluster]:
    """A server that may be stopped."""
    postgres()  # skips the test where there is none
    with tempfile.TemporaryDirectory(prefix="nodegx-pg-") as folder:  # a short path
        Path(folder).chmod(0o755)
        cluster = Cluster(Path(folder) / "server")
        cluster.create()
        cluster.start()
        yield cluster
        cluster.stop()


def kill_connections(url: str) -> int:
    """Ends all other connections of the client named by `application_name`."""
    base, name = split_url(url, "application_name")
    base, _ = split_url(base, "schema")
    with psycopg.connect(base, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s",
            (name,),
        ).fetchall()
    return len(rows)


# --- reading and writing --------------------------------------------------------------------------


def test_values_come_back(open_database: Open) -> None:
    database = open_database()
    with database.transaction() as session:
        session.execute("INSERT INTO things VALUES (?, ?)", ("50%?", b"\0\xff"))
        assert session.executemany(
            "INSERT INTO things VALUES (?, ?)", [("a", None), ("b", b"")]
        ).rowcount == 2  # fmt: skip
    assert database.read("SELECT data FROM things WHERE id LIKE ?", ["50%"]) == [(b"\0\xff",)]
    assert database.read("SELECT id FROM things ORDER BY id") == [("50%?",), ("a",), ("b",)]


def test_what_raises_is_undone(open_database: Open) -> None:
    database = open_database()

    def write() -> None:
        with database.transaction() as session:
            session.execute("INSERT INTO things VALUES ('a', NULL)")
            raise KeyError

    with pytest.raises(KeyError):
        write()
    assert database.read("SELECT id FROM things") == []


def test_refused_statements_are_reported_without_values(open_database: Open) -> None:
    database = open_database()
    value = "s3cret"
    with database.transaction() as session:
        session.execute("INSERT INTO things VALUES (?, NULL)", (value,))
    with pytest.raises(NodegxError, match="duplicate key") as caught, database.transaction() as s:
        s.execute("INSERT INTO things VALUES (?, NULL)", (value,))
    assert caught.value.code == "store.refused"
    assert value not in "".join(traceback.format_exception(caught.value))
    with pytest.raises(NodegxError, match="does not exist"):
        database.read("SELECT nothing FROM things")
    assert database.read("SELECT id FROM things") == [(value,)]


# --- tables ---------------------------------------------------------------------------------------


def test_many_may_open_it_for_the_first_time_at_once(url: str) -> None:
    failures: list[Exception] = []

    def opened() -> None:
        database = PostgresDatabase(url, "The store")
        try:
            database.migrate(THINGS)
        except Exception as error:
            failures.append(error)
        database.close()

    threads = [threading.Thread(target=opened) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_steps_are_taken_once_and_all_or_none(open_database: Open) -> None:
    database = open_database()
    more = THINGS._replace(steps=(*THINGS.steps, ("ALTER TABLE things ADD COLUMN extra {text}",)))
    for _ in range(2):
        database.migrate(more)
    broken = more._replace(steps=(*more.steps, ("CREATE TABLE good (x int)", "CREATE TABEL bad")))
    with pytest.raises(NodegxError, match="syntax"):
        database.migrate(broken)
    database.migrate(more)
    assert database.read("SELECT extra FROM things") == []
    with pytest.raises(StoreUnavailable, match="it has schema 2, and this version knows 1"):
        database.migrate(THINGS)


def test_whoever_may_not_make_tables_may_use_them(open_database: Open, url: str) -> None:
    open_database()
    schema = split_url(url, "schema")[1]
    admin = postgres().url()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {schema} LOGIN".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {schema}".encode())
        connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {schema}".encode())
    guest = PostgresDatabase(url.replace(f"{USER}@", f"{schema}@"), "The store")
    guest.migrate(THINGS)
    assert guest.read("SELECT id FROM things") == []
    with pytest.raises(NodegxError, match="permission denied"):
        guest.migrate(THINGS._replace(table="other"))
    guest.close()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {schema}".encode())
        connection.execute(f"DROP ROLE {schema}".encode())


def test_a_database_of_another_encoding_is_refused() -> None:
    admin = postgres().url()
    name = f"latin_{time.time_ns()}"
    with psycopg.connect(admin, autocommit=True) as connection:
        provider = "LOCALE_PROVIDER libc" if connection.info.server_version >= 15_00_00 else ""
        connection.execute(
            f"CREATE DATABASE {name} ENCODING LATIN1 LOCALE 'C' {provider}"
            " TEMPLATE template0".encode()
        )
    database = PostgresDatabase(admin.replace("/postgres?", f"/{name}?"), "The store")
    with pytest.raises(StoreUnavailable, match="UTF8"):
        database.migrate(THINGS)
    database.close()
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


# --- URLs -----------------------------------------------------------------------------------------


def test_the_schema_is_part_of_the_url() -> None:
    assert split_url("postgresql://h/d", "schema") == ("postgresql://h/d", None)
    assert split_url("postgresql://h/d?schema=a", "schema") == ("postgresql://h/d", "a")
    assert split_url("postgresql://h/d?a=b%20c&schema=x&e=", "schema") == (
        "postgresql://h/d?a=b%20c&e=",
        "x",
    )


@pytest.mark.parametrize("name", ["", "Upper", "a-b", 'a"; DROP', "1a", "a" * 64, "a,b"])
def test_odd_schemas_are_refused(name: str) -> None:
    url = f"postgresql://u:s3cret@h/d?schema={quote(name)}"
    if name == "":
        PostgresDatabase(url, "The store")  # no schema, so the usual one
        return
    with pytest.raises(FatalError, match="schema") as caught:
        PostgresDatabase(url, "The store")
    assert caught.value.code == "store.url"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:s3cret@127.0.0.1:1/base",
        "postgresql://user:pa@s3cret@127.0.0.1:1/base",
        "postgresql://user:s3cret/x@127.0.0.1:1/base",
        "postgresql://user:s3cret#x@127.0.0.1:1/base",
        "postgresql://user:[s3cret]@127.0.0.1:1/base",
        "postgresql://user:s3cret@no-such-host.invalid/base",
        "postgresql://user@127.0.0.1:1/base?password=s3cret",
        "postgresql://user@127.0.0.1:1/base?passwrd=s3cret",
        "postgresql://user@127.0.0.1:s3cret/base",
        "postgresql://user:%zzs3cret@127.0.0.1/base",
    ],
)
def test_messages_tell_nothing_of_the_url(url: str) -> None:
    with pytest.raises(NodegxError) as caught:
        PostgresDatabase(url, "The store").migrate(THINGS)
    told = "".join(traceback.format_exception(caught.value))
    parts = ("s3cret", "127.0.0.1", "no-such-host", "//user", '"user"')
    assert not [part for part in parts if part in told]


def test_a_wrong_password_is_told_as_such_and_the_right_one_is_taken() -> None:
    place = f"127.0.0.1:{postgres().port}"
    right = f"postgresql://{USER}:{quote(PASSWORD, safe='')}@{place}"
    wrong = "s3cret"
    for url, reason in (
        (f"postgresql://{USER}:{wrong}@{place}/postgres", "the user or password is wrong"),
        (f"postgresql://{USER}@{place}/postgres", "it wants a password"),
        (f"{right}/nowhere", "there is no such database"),
    ):
        with pytest.raises(StoreUnavailable, match=reason) as caught:
            PostgresDatabase(url, "The store").migrate(THINGS)
        told = "".join(traceback.format_exception(caught.value))
        assert not [part for part in (wrong, PASSWORD, place) if part in told]
    database = PostgresDatabase(f"{right}/postgres", "The store")
    assert database.read("SELECT 1") == [(1,)]
    database.close()


# --- connections ----------------------------------------------------------------------------------


def test_idle_connections_that_died_are_replaced(url: str) -> None:
    url = f"{url}&application_name=dying_{time.time_ns()}"
    database = PostgresDatabase(url, "The store")
    database.migrate(THINGS)
    for _ in range(2):
        assert kill_connections(url) == 1
        with database.transaction() as session:
            session.execute("DELETE FROM things")
        assert kill_connections(url) == 1
        assert database.read("SELECT id FROM things") == []

    def write() -> None:
        with database.transaction() as session:
            session.execute("INSERT INTO things VALUES ('a', NULL)")
            assert kill_connections(url) == 1
            session.execute("INSERT INTO things VALUES ('b', NULL)")

    with pytest.raises(StoreUnavailable):
        write()
    assert database.read("SELECT id FROM things") == []
    database.close()


def test_it_comes_back_when_the_server_does(own_server: Cluster) -> None:
    database = PostgresDatabase(own_server.url(), "The store")
    database.migrate(THINGS)
    with database.transaction() as session:
        session.execute("INSERT INTO things VALUES ('a', NULL)")
    own_server.stop()
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="nothing listens"):
            database.read("SELECT id FROM things")
        with pytest.raises(StoreUnavailable), database.transaction() as session:
            session.execute("DELETE FROM things")
    own_server.start()
    assert database.read("SELECT id FROM things") == [("a",)]
    with database.transaction() as session:
        session.execute("INSERT INTO things VALUES ('b', NULL)")
    assert len(database.read("SELECT id FROM things")) == 2
    database.close()


def test_connections_are_few_and_shared(open_database: Open, url: str) -> None:
    database = open_database(size=2, timeout=0.2)
    with (
        database.transaction(),
        database.transaction(),
        pytest.raises(StoreUnavailable, match="in use"),
    ):
        database.read("SELECT 1")
    results: list[Any] = []
    patient = open_database(size=2)
    threads = [
        threading.Thread(target=lambda: results.append(patient.read("SELECT pg_sleep(0.01)")))
        for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 12


def test_locks_are_waited_for_then_reported(open_database: Open) -> None:
    database = open_database(timeout=0.2)
    with database.transaction() as session:
        session.execute("INSERT INTO things VALUES ('a', NULL)")
        with pytest.raises(StoreUnavailable, match="lock timeout"), database.transaction() as other:
            other.execute("INSERT INTO things VALUES ('a', NULL)")
    with pytest.raises(StoreUnavailable, match="statement timeout"):
        database.read("SELECT pg_sleep(30)")
    assert database.read("SELECT id FROM things") == [("a",)]


def test_a_closed_database_says_so(open_database: Open) -> None:
    database = open_database()
    with database.transaction() as session:
        database.close()
        session.execute("INSERT INTO things VALUES ('a', NULL)")
    database.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        database.read("SELECT 1")
    with pytest.raises(StoreUnavailable, match="closed"), database.transaction():
        pass
    assert open_database().read("SELECT id FROM things") == [("a",)]
