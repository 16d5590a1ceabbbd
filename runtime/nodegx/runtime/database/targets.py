"""Tells which database a setting means."""

from __future__ import annotations

from pathlib import Path

from nodegx.runtime.errors import FatalError


def is_postgres(target: str | Path) -> bool:
    """Whether it is the URL of a PostgreSQL database, and not the path of a file.

    Raises:
        FatalError: code `store.url`; it is the URL of something else.
    """
    if isinstance(target, Path) or "://" not in target:
        return False
    scheme = target.partition("://")[0]
    if scheme not in ("postgresql", "postgres"):
        raise FatalError(f"There is no store for {scheme}:// URLs", code="store.url")
    return True
