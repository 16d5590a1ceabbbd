"""Archives and assets among resource properties: the code of a function, the content of an
object."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .properties import SIGNATURE

ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"


def archive_bytes(archive: Mapping[str, Any]) -> bytes:
    """A zip from a `FileArchive` of a zip or of a directory.

    Raises:
        ValueError: it is another kind of archive.
    """
    if archive.get(SIGNATURE) != ARCHIVE or "path" not in archive:
        raise ValueError("code must be a FileArchive")
    path = Path(archive["path"])
    return _zipped(path) if path.is_dir() else path.read_bytes()


def asset_bytes(asset: Mapping[str, Any]) -> bytes:
    """The content of a `FileAsset` or a `StringAsset`.

    Raises:
        ValueError: it is something else.
    """
    if asset.get(SIGNATURE) == ASSET and "path" in asset:
        return Path(asset["path"]).read_bytes()
    if asset.get(SIGNATURE) == ASSET and "text" in asset:
        return str(asset["text"]).encode()
    if asset.get(SIGNATURE) == ARCHIVE:
        return archive_bytes(asset)
    raise ValueError("a source must be a FileAsset or a StringAsset")


def _zipped(directory: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(directory.rglob("*")):
            if path.is_file():
                file.writestr(
                    zipfile.ZipInfo(path.relative_to(directory).as_posix()), path.read_bytes()
                )
    return buffer.getvalue()
