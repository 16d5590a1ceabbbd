"""What of an execution fits no item: compressed objects in the deployment's bucket."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from nodegx.runtime.aws.client import AwsClient, AwsError, Response
from nodegx.runtime.deflate import deflate, inflate

from .dynamodb_requests import unavailable

PREFIX = "runs/"
_DELETED = 1000
"""Objects that one request deletes."""


class Objects:
    """Texts of executions in a bucket.

    Args:
        s3: its client; None refuses long texts.
        bucket: its name.
    """

    def __init__(self, s3: AwsClient | None, bucket: str | None) -> None:
        self._s3 = s3
        self._bucket = bucket

    def put(self, run: str, content: str) -> str:
        """Keeps a text of an execution and returns the object's name.

        Raises:
            AwsError: there is no bucket, or it refuses.
            StoreUnavailable: trying again later may help. So may every other method.
        """
        name = f"{PREFIX}{run}/{os.urandom(8).hex()}"
        body = deflate(content.encode("utf-8", "surrogatepass"))
        self._request("PUT", self._path(name), body=body)
        return name

    def get(self, name: str) -> str:
        """The text of an object.

        Raises:
            AwsError: it is not there.
        """
        body = self._request("GET", self._path(name)).body
        return inflate(body).decode("utf-8", "surrogatepass")

    def delete(self, run: str) -> None:
        """Removes all objects of an execution."""
        while names := list(self._listed(f"{PREFIX}{run}/")):
            objects = "".join(f"<Object><Key>{_escaped(name)}</Key></Object>" for name in names)
            body = (
                '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet>'
                f"{objects}</Delete>"
            ).encode()
            digest = hashlib.md5(body, usedforsecurity=False).digest()
            headers = {"Content-MD5": base64.b64encode(digest).decode("ascii")}
            path = f"/{self._bucket}"
            self._request("POST", path, query={"delete": ""}, body=body, headers=headers)
            if len(names) < _DELETED:
                return

    def close(self) -> None:
        """Closes idle connections."""
        if self._s3 is not None:
            self._s3.close()

    def _listed(self, prefix: str) -> Iterator[str]:
        query = {"list-type": "2", "max-keys": str(_DELETED), "prefix": prefix}
        answer = self._request("GET", f"/{self._bucket}", query=query)
        for part in answer.body.decode().split("<Key>")[1:]:
            yield _unescaped(part.partition("</Key>")[0])

    def _path(self, name: str) -> str:
        return f"/{self._bucket}/{quote(name, safe='/')}"

    def _request(self, method: str, path: str, **options: Any) -> Response:
        if self._s3 is None or self._bucket is None:
            message = "a text of an execution fits no item, and there is no bucket"
            raise AwsError("dynamodb", "ItemTooLarge", message, 400)
        with unavailable():
            return self._s3.request(method, path, **options)


def _escaped(name: str) -> str:
    for plain, written in _ENTITIES:
        name = name.replace(plain, written)
    return name


def _unescaped(text: str) -> str:
    for plain, written in reversed(_ENTITIES):
        text = text.replace(written, plain)
    return text


_ENTITIES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
