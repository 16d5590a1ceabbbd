"""The code of a function: what the packager has put beside the program."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import pulumi

DIRECT_LIMIT = 50_000_000
"""Bytes of a zip that Lambda takes directly; larger ones go through S3."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A function's code.

    Args:
        archive: the zip, or None for a container image.
        layer: a zip of packages, if they are kept apart.
        image: URI of a container image with a digest.
        revision: hash of the workflow it was compiled from.
    """

    archive: Path | None
    layer: Path | None
    image: str | None
    revision: str

    @classmethod
    def find(cls, home: Path, slug: str) -> Bundle:
        """The bundle of a workflow: `bundles/<slug>.zip`, with a layer `<slug>.layer.zip` if there
        is one; or the URI in `<slug>.image`.

        Raises:
            RunError: there is none.
        """
        directory = home / "bundles"
        archive, layer = directory / f"{slug}.zip", directory / f"{slug}.layer.zip"
        image = directory / f"{slug}.image"
        revision = _revision(home / "functions" / slug / "manifest.json")
        if image.is_file():
            return cls(None, None, image.read_text("utf-8").strip(), revision)
        if not archive.is_file():
            raise pulumi.RunError(
                f"there is no bundles/{slug}.zip: package the functions first, as `nodegx deploy` does"
            )
        return cls(archive, layer if layer.is_file() else None, None, revision)


def sha256_base64(path: Path) -> str:
    """The hash of a file, as Lambda writes it."""
    return base64.b64encode(hashlib.sha256(path.read_bytes()).digest()).decode("ascii")


def _revision(manifest: Path) -> str:
    try:
        return str(json.loads(manifest.read_text("utf-8"))["revision"])
    except (OSError, ValueError, KeyError):
        return ""
