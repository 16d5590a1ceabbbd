"""Zips that are the same to the byte wherever they are made."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

MOMENT = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can express."""
MODE = 0o644
UNIX = 3
LEVEL = 9

Content = bytes | Path


def write_zip(path: Path, files: Mapping[str, Content]) -> None:
    """Makes the zip at `path`, in one step.

    Args:
        path: the zip; its directory exists.
        files: contents by name, with `/`; a path is read only when it is its turn.

    Raises:
        OSError: the file system refused.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
            for name in sorted(files):
                content = files[name]
                data = content.read_bytes() if isinstance(content, Path) else content
                archive.writestr(_entry(name), data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, MOMENT)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = UNIX
    info.external_attr = MODE << 16
    return info
