"""What compiled expressions call, as `fx`.

The compiler decides which of these a workflow may call and checks the calls; here are only the
implementations. They take JSON from anywhere and raise `FatalError` where it does not fit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .arrays import (
        chunk,
        compact,
        count_by,
        difference,
        first,
        flatten,
        group_by,
        intersection,
        key_by,
        last,
        pluck,
        range,
        reverse,
        sort,
        sort_by,
        sum_by,
        unique,
        where,
    )
    from .dates import (
        add_time,
        after,
        before,
        diff_time,
        format_date,
        parse_date,
        start_of,
        timestamp,
    )
    from .encoding import base64_decode, base64_encode, hmac_sha256, sha256, url_decode, url_encode
    from .kinds import (
        coalesce,
        concat,
        default,
        formatted,
        is_empty,
        number,
        parse_json,
        text,
        to_json,
        type_of,
    )
    from .limits import counted, loop, nested, scanned
    from .numbers import average, ceil, floor, format_number, modulo, multiply, power, round
    from .objects import entries, from_entries, keys, merge, omit, pick, values
    from .paths import get, has
    from .patterns import extract, extract_all, matches, replace_pattern
    from .texts import (
        center,
        contains,
        ends_with,
        escape_html,
        join,
        lower,
        pad_end,
        pad_start,
        repeat,
        replace,
        slug,
        split,
        starts_with,
        trim,
        truncate,
        upper,
        zfill,
    )

__all__ = [
    "add_time",
    "after",
    "average",
    "base64_decode",
    "base64_encode",
    "before",
    "ceil",
    "center",
    "chunk",
    "coalesce",
    "compact",
    "concat",
    "contains",
    "count_by",
    "counted",
    "default",
    "diff_time",
    "difference",
    "ends_with",
    "entries",
    "escape_html",
    "extract",
    "extract_all",
    "first",
    "flatten",
    "floor",
    "format_date",
    "format_number",
    "formatted",
    "from_entries",
    "get",
    "group_by",
    "has",
    "hmac_sha256",
    "intersection",
    "is_empty",
    "join",
    "key_by",
    "keys",
    "last",
    "loop",
    "lower",
    "matches",
    "merge",
    "modulo",
    "multiply",
    "nested",
    "number",
    "omit",
    "pad_end",
    "pad_start",
    "parse_date",
    "parse_json",
    "pick",
    "pluck",
    "power",
    "range",
    "repeat",
    "replace",
    "replace_pattern",
    "reverse",
    "round",
    "scanned",
    "sha256",
    "slug",
    "sort",
    "sort_by",
    "split",
    "start_of",
    "starts_with",
    "sum_by",
    "text",
    "timestamp",
    "to_json",
    "trim",
    "truncate",
    "type_of",
    "unique",
    "upper",
    "url_decode",
    "url_encode",
    "values",
    "where",
    "zfill",
]

_MODULES = {
    "arrays": (
        "chunk compact count_by difference first flatten group_by intersection key_by last "
        "pluck range reverse sort sort_by sum_by unique where"
    ),
    "dates": "add_time after before diff_time format_date parse_date start_of timestamp",
    "encoding": "base64_decode base64_encode hmac_sha256 sha256 url_decode url_encode",
    "limits": "counted loop nested scanned",
    "numbers": "average ceil floor format_number modulo multiply power round",
    "objects": "entries from_entries keys merge omit pick values",
    "paths": "get has",
    "patterns": "extract extract_all matches replace_pattern",
    "texts": (
        "center contains ends_with escape_html join lower pad_end pad_start repeat replace "
        "slug split starts_with trim truncate upper zfill"
    ),
    "kinds": "coalesce concat default formatted is_empty number parse_json text to_json type_of",
}
"""Functions by the module that has them: each is imported when one of its own is first called."""

_HOMES = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = function
    return function
