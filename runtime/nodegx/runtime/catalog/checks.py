"""What can be wrong with a literal parameter beyond its type. Each check returns the fault as a
sentence without its subject ("is not a cron expression: ..."), or None.

Libraries are imported inside the checks: only the compiler calls them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from nodegx.runtime import durations

_PARAMETER = re.compile(r"\{([^{}]*)\}")
_STATUS = re.compile(r"([1-5]\d\d)(?:-([1-5]\d\d))?", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def duration(value: Any) -> str | None:
    """A length of time."""
    try:
        durations.seconds(value)
    except ValueError as error:
        return str(error)
    return None


def cron(value: Any) -> str | None:
    """A cron expression of five fields, or six with seconds first."""
    from cronsim import CronSim, CronSimError

    try:
        moment = next(CronSim(str(value), datetime(2024, 1, 1)))
    except CronSimError as error:
        return f"is not a cron expression: {error}"
    except StopIteration:
        return "never fires"
    return None if moment else "never fires"


def timezone(value: Any) -> str | None:
    """A name of the IANA time zone database."""
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(str(value))
    except (KeyError, ValueError, OSError):
        return "is not a time zone of the IANA database, such as Europe/Berlin or UTC"
    return None


def moment(value: Any) -> str | None:
    """An ISO 8601 date and time."""
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return "is not an ISO 8601 date and time, such as 2026-05-01T08:00:00+02:00"
    return None


def jmespath(value: Any) -> str | None:
    """A JMESPath expression."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(str(value))
    except JMESPathError as error:
        return f"is not a JMESPath expression: {str(error).splitlines()[0]}"
    return None


def jsonpath(value: Any) -> str | None:
    """A JSONPath, from the root `$`."""
    import jsonpath
    from jsonpath import JSONPathError

    try:
        jsonpath.compile(str(value))
    except JSONPathError as error:
        return f"is not a JSONPath: {str(error).splitlines()[0]}"
    return None


def json_location(value: Any) -> str | None:
    """A JSONPath, or a JSON Pointer."""
    if str(value).startswith("/") or value == "":
        return None
    return jsonpath(value)


def body_path(value: Any) -> str | None:
    """A JSONPath if it starts with `$`, else a JMESPath expression."""
    return jsonpath(value) if str(value).startswith("$") else jmespath(value)


def path_packages(path: Any) -> tuple[str, ...]:
    """The library for a `body_path` that is more than a plain one, or is not known yet."""
    from nodegx.runtime.nodes.paths import is_plain

    if not isinstance(path, str):
        return ("jmespath", "python-jsonpath")
    if is_plain(path):
        return ()
    return ("python-jsonpath",) if path.startswith("$") else ("jmespath",)


def schema_packages(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The library, for a `schema` that uses more than we check ourselves."""
    from nodegx.runtime.nodes.schema import supports

    schema = parameters.get("schema")
    return () if schema is not ... and supports(schema) else ("jsonschema",)


def json_schema(value: Any) -> str | None:
    """A JSON Schema that is valid by its own draft's meta-schema."""
    import jsonschema
    from jsonschema.validators import validator_for

    if isinstance(value, bool):
        return None
    if not isinstance(value, dict):
        return "is not a JSON Schema: an object is expected"
    schema = cast("dict[str, Any]", value)
    try:
        validator_for(schema, default=jsonschema.Draft202012Validator).check_schema(schema)
    except jsonschema.SchemaError as error:
        return f"is not a JSON Schema: {error.message} (at {error.json_path})"
    return None


def url_path(value: Any) -> str | None:
    """The path of an HTTP trigger: `/orders/{id}`, the last parameter may be `{rest:path}`."""
    path = str(value)
    if not path.startswith("/"):
        return "must start with /"
    if any(mark in path for mark in "?#\\ ") or not path.isascii() or not path.isprintable():
        return "holds characters that a URL path cannot have as they are"
    segments = path[1:].split("/")
    if any(part in {".", ".."} for part in segments) or any(not part for part in segments[:-1]):
        return "has an empty, `.` or `..` segment"
    names: list[str] = []
    for place, segment in enumerate(segments):
        if "{" not in segment and "}" not in segment:
            continue
        match = _PARAMETER.fullmatch(segment)
        name, _, converter = (match[1] if match else "").partition(":")
        if not name.isidentifier() or converter not in {"", "path"}:
            return f"has a malformed parameter `{segment}`: write {{name}} or, at the end, {{name:path}}"
        if converter and place != len(segments) - 1:
            return f"has `{segment}` before its end"
        names.append(name)
    repeated = {name for name in names if names.count(name) > 1}
    return f"names the parameter `{min(repeated)}` twice" if repeated else None


def status_range(value: Any) -> str | None:
    """An HTTP status, or a range of them such as 200-299."""
    match = _STATUS.fullmatch(str(value))
    if match is None or isinstance(value, bool):
        return 'is not an HTTP status or a range such as "200-299"'
    if match[2] and match[2] < match[1]:
        return "is an empty range"
    return None


def header_name(value: Any) -> str | None:
    """The name of an HTTP header."""
    return None if _TOKEN.fullmatch(str(value)) else "is not the name of an HTTP header"


def http_url(value: Any) -> str | None:
    """An absolute URL of scheme http or https, without credentials."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(str(value))
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL: {error}"
    if parts.scheme.lower() not in {"http", "https"} or not host or port == 0:
        return "is not an absolute http or https URL"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or password: use `auth` for them"
    return None


def proxy_url(value: Any) -> str | None:
    """The URL of a proxy that is reached over plain http."""
    fault = http_url(value)
    if fault is None and not str(value).lower().startswith("http://"):
        return "is not an http URL, which the proxy must have"
    return fault


def identifier(value: Any) -> str | None:
    """A name that Python accepts as a variable."""
    from keyword import iskeyword

    if isinstance(value, str) and value.isidentifier() and not iskeyword(value):
        return None
    return "is not a name: use letters, digits and _, not starting with a digit"


def argument_names(value: Any) -> str | None:
    """An object whose keys are all names that Python accepts as variables."""
    if not isinstance(value, dict):
        return None
    for key in cast("dict[str, Any]", value):
        if fault := identifier(key):
            return f"has the key {key!r}, which {fault}"
    return None


def event_pattern(value: Any) -> str | None:
    """The name of an event; a final `*` stands for any ending."""
    name = str(value)
    if not name or name.isspace():
        return "is empty"
    return "has a * that is not its last character" if "*" in name[:-1] else None


def requirement(value: Any) -> str | None:
    """A requirement on a distribution, without a URL: `rich`, `numpy>=2,<3`."""
    pattern = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._,\s-]+\])?\s*"
    versions = r"(?:(?:[<>=!~]=?|===)\s*[A-Za-z0-9.*+!_-]+\s*(?:,\s*|$))*"
    if re.fullmatch(pattern + versions, str(value)):
        return None
    return "is not a package requirement, such as `numpy>=2,<3`"


def queue(value: Any) -> str | None:
    """A queue: a name that the deployment makes one for, or the ARN of an SQS queue."""
    name = r"[A-Za-z0-9_-]{1,60}(?:\.fifo)?"
    arn = r"arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+"
    return _resource(
        value, name, arn, "queue: letters, digits, - and _, at the end .fifo for order"
    )


def bucket(value: Any) -> str | None:
    """A bucket: a name that the deployment makes one for, or the ARN of an S3 bucket."""
    name = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"
    arn = r"arn:aws[a-z-]*:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
    return _resource(value, name, arn, "bucket: small letters, digits and -")


def table(value: Any) -> str | None:
    """A table: a name that the deployment makes one for, or the ARN of a DynamoDB stream."""
    name = r"[A-Za-z0-9_.-]{1,200}"
    arn = r"arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]+/stream/[^/\s]+"
    return _resource(value, name, arn, "table: letters, digits, -, _ and .")


def _resource(value: Any, name: str, arn: str, expected: str) -> str | None:
    pattern = arn if str(value).startswith("arn:") else name
    return None if re.fullmatch(pattern, str(value)) else f"is not the name or ARN of a {expected}"
