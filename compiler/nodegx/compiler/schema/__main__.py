"""`python -m nodegx.compiler.schema` writes the published schemas anew."""

from __future__ import annotations

from . import write_schemas

for path in write_schemas():
    print(path)
