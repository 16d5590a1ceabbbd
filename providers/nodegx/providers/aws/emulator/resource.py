"""What a type of resource is to the provider: its properties, and how it is made, read, changed
and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, ClassVar, cast

from .cloud import Cloud
from .properties import Properties

ABSENT_CODES = (
    "NotFound",
    "NoSuch",
    "NonExistent",
    "404",
)
"""Parts of the error codes by which services say that something does not exist."""


class Resource:
    """A type of resource. Properties have the names of the real provider.

    Class attributes:
        type: its token, such as `aws:sqs/queue:Queue`.
        required: properties that must be given.
        optional: properties that may be given. Anything else is refused, so that no program relies
            on what is not carried out.
        replaces: properties that cannot be changed; a change makes a new resource.
        computed: properties that become known when it is made.
        named: the property that is made up from the resource's name where it is not given.
        defaults: what missing properties stand for.
    """

    type: ClassVar[str]
    required: ClassVar[frozenset[str]] = frozenset()
    optional: ClassVar[frozenset[str]] = frozenset()
    replaces: ClassVar[frozenset[str]] = frozenset()
    computed: ClassVar[frozenset[str]] = frozenset()
    named: ClassVar[str | None] = None
    defaults: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud

    def create(self, inputs: Properties) -> str:
        """Makes it and returns its id."""
        raise NotImplementedError

    def read(self, id: str, state: Properties) -> Properties | None:
        """Its properties as they really are; None if it does not exist. `state` is what was known
        of it before, or what it was made with."""
        raise NotImplementedError

    def update(self, id: str, old: Properties, new: Properties) -> None:
        """Changes it from its old state to new inputs."""
        raise NotImplementedError

    def delete(self, id: str, state: Properties) -> None:
        """Deletes it; that it does not exist any more is no error."""
        raise NotImplementedError

    def recomputed(self, changed: Set[str]) -> Set[str]:
        """Computed properties that change with these inputs."""
        return frozenset()

    def check(self, inputs: Properties) -> list[tuple[str, str]]:
        """What is wrong with the inputs: properties with reasons. Unknown values stand as
        `UNKNOWN`."""
        return []


def is_absent(error: Exception) -> bool:
    """Whether a service's error says that something does not exist."""
    response: Mapping[str, Any] = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code", ""))
    return any(part in code for part in ABSENT_CODES)


def tag_list(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[Any]:
    """Tags as most services take them."""
    return [{key: name, value: text} for name, text in sorted((tags or {}).items())]


def tag_map(tags: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags as most services return them."""
    return {tag[key]: tag[value] for tag in tags or ()}


def gone_tags(old: Properties, new: Properties) -> list[str]:
    """Names of the tags that something had and shall have no more."""
    before: Mapping[str, str] = old.get("tags") or {}
    after: Mapping[str, str] = new.get("tags") or {}
    return sorted(before.keys() - after.keys())


def pascal(value: Any) -> Any:
    """Keys as the services spell them: `batchSize` becomes `BatchSize`. None is left out."""
    if isinstance(value, dict):
        return {
            f"{key[0].upper()}{key[1:]}": pascal(item)
            for key, item in cast("Properties", value).items()
            if item is not None
        }
    if isinstance(value, list):
        return [pascal(item) for item in cast("list[Any]", value)]
    return value


def camel(value: Any) -> Any:
    """The other way round."""
    if isinstance(value, dict):
        return {
            f"{key[0].lower()}{key[1:]}": camel(item)
            for key, item in cast("Properties", value).items()
        }
    if isinstance(value, list):
        return [camel(item) for item in cast("list[Any]", value)]
    return value
