"""Conditions that are put together from comparisons instead of written as an expression.

A group is `{"all": [...]}`, `{"any": [...]}` or `{"not": condition}`; a comparison is
`{"left": value, "op": "gt", "right": value}`. Members of groups are groups, comparisons,
expressions or booleans. After the check they are `DictValue`s of this very shape, with `op` always
present and `right` always present.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

GROUPS: Final = ("all", "any")
NEGATION: Final = "not"
DEFAULT_OPERATOR: Final = "eq"

OPERATORS: Final[Mapping[str, str]] = {
    "eq": "equals",
    "ne": "differs from",
    "gt": "is greater than",
    "gte": "is greater than or equal to",
    "lt": "is less than",
    "lte": "is less than or equal to",
    "in": "is one of",
    "contains": "contains",
    "startsWith": "starts with",
    "endsWith": "ends with",
    "exists": "exists (is not null); `right` false asks for the opposite",
}
"""The operators of comparisons, as in the filter of trigger.event, with what they mean."""
