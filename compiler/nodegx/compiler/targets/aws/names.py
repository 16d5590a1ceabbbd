"""Names and ARNs of everything a deployment owns on AWS.

All of them follow from the project, the stack, the account and the region, so that policies and
environments can name what does not exist yet, and tools find what does without asking.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

LIMIT = 64
"""Characters of a name: the least that Lambda, IAM, EventBridge and Scheduler all take."""
BUCKET_LIMIT = 63
PREFIX_LIMIT = 48
"""Characters of the project and the stack, which leave room for the rest."""
WAKE_LIMIT = 20
"""Characters of a workflow's slug in the names of schedules that wake its executions."""
SWEEP = ".sweep."
"""What the names of the schedules begin with that look after what was forgotten: nothing else's do,
least of all those that functions may make and remove."""
DIGEST = 8
ALIAS = "live"
"""The alias that every trigger targets."""

_OTHER = re.compile(r"[^A-Za-z0-9_]+")
_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:\d*:.+")


def cut(text: str, limit: int = LIMIT) -> str:
    """`text`, or where it is too long its beginning with a hash of the whole."""
    if len(text) <= limit:
        return text
    return f"{text[: limit - DIGEST - 1].rstrip('-_.')}-{_digest(text)}"


def plain(text: str) -> str:
    """`text` in letters, digits, `-` and `_`. Texts that differ stay different, but for case,
    accents and punctuation where that is all there is to tell them apart."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    found = _OTHER.sub("-", ascii_text).strip("-_")
    return found or f"x{_digest(text)}"


def unique(text: str) -> str:
    """Like `plain`, with a hash where anything had to change but the case."""
    found = plain(text)
    return found if found == text else f"{found}-{_digest(text)}"


def is_arn(text: str) -> bool:
    """Whether a queue, bucket or table is named by ARN: then it is somebody else's."""
    return _ARN.fullmatch(text) is not None


def resume_path(slug: str) -> str:
    """The path of the HTTP API below which a workflow's resume URLs are: the API leads requests to
    functions by their beginning."""
    return f"/_nodegx/{slug}"


def resume_route(slug: str) -> str:
    """The route of a workflow's resume URLs, whose own part is `/_nodegx/resume/…` on every host."""
    return f"ANY {resume_path(slug)}/_nodegx/resume/{{rest+}}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST]


@dataclass(frozen=True, slots=True)
class Names:
    """Names in one stack of a project.

    Args:
        project: the project's name, as its file has it.
        stack: name of the stack.
    """

    project: str
    stack: str

    @property
    def label(self) -> str:
        """The project in lower-case letters, digits, `-` and `_`."""
        return plain(self.project).lower()

    @property
    def prefix(self) -> str:
        """What all names begin with, by which policies know them."""
        return cut(f"{self.label}-{plain(self.stack)}", PREFIX_LIMIT)

    def _name(self, *parts: str) -> str:
        return cut("-".join((self.prefix, *parts)))

    def function(self, slug: str) -> str:
        """A workflow's function; also the name of its role."""
        return self._name(slug)

    def log_group(self, slug: str) -> str:
        """Where Lambda writes a function's log."""
        return f"/aws/lambda/{self.function(slug)}"

    @property
    def api_log_group(self) -> str:
        """Where the HTTP API writes its access log."""
        return f"/aws/vendedlogs/{self._name('api')}"

    @property
    def shared(self) -> str:
        """The event bus, the HTTP API, the schedule group, the dashboard and the budget."""
        return self._name()

    @property
    def history(self) -> str:
        """The table of executions."""
        return self._name("history")

    @property
    def topic(self) -> str:
        """Where alarms are announced."""
        return self._name("alarms")

    @property
    def scheduler(self) -> str:
        """The role by which schedules start functions."""
        return self._name("scheduler")

    def queue(self, name: str) -> str:
        """A queue of the project; FIFO queues keep their `.fifo`."""
        return self._with_suffix(name)

    def dead_letters(self, slug: str, *, fifo: bool = False) -> str:
        """What a workflow could not take."""
        return self._with_suffix(f"{slug}-dlq.fifo" if fifo else f"{slug}-dlq")

    def table(self, name: str) -> str:
        """A table of the project."""
        return self._name(unique(name))

    def rule(self, slug: str, trigger: str) -> str:
        """The rule of an event trigger, by the trigger's name in expressions."""
        return self._name(slug, unique(trigger))

    def schedule(self, slug: str, trigger: str) -> str:
        """A schedule inside the schedule group."""
        return cut(f"{slug}-{unique(trigger)}")

    def wake(self, slug: str) -> str:
        """What the names of the schedules begin with that wake a workflow's executions; a dot and
        the execution follow."""
        return cut(slug, WAKE_LIMIT)

    def sweep(self, slug: str) -> str:
        """The schedule that wakes what was forgotten."""
        return f"{SWEEP}{cut(slug, LIMIT - len(SWEEP))}"

    def alarm(self, slug: str, kind: str) -> str:
        """An alarm."""
        return self._name(slug, kind)

    def secret(self, name: str) -> str:
        """A secret, by the name that workflows use."""
        return f"{self.prefix}/{name}"

    def _with_suffix(self, name: str) -> str:
        base = name.removesuffix(".fifo")
        if base == name:
            return self._name(unique(name))
        return f"{cut('-'.join((self.prefix, unique(base))), LIMIT - len('.fifo'))}.fifo"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a deployment lives, and the ARNs of what it owns there.

    Args:
        names: its names.
        account: twelve digits.
        region: such as `eu-central-1`.
        partition: `aws`, `aws-cn` or `aws-us-gov`.
    """

    names: Names
    account: str
    region: str
    partition: str = "aws"

    def arn(self, service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
        """The ARN of something in this account and region; services that are global or have
        global names leave one or both out."""
        where = self.region if region else ""
        whose = self.account if account else ""
        return f"arn:{self.partition}:{service}:{where}:{whose}:{resource}"

    def function(self, slug: str) -> str:
        """A workflow's function, without a version."""
        return self.arn("lambda", f"function:{self.names.function(slug)}")

    def alias(self, slug: str) -> str:
        """A workflow's alias: what triggers and callers name."""
        return f"{self.function(slug)}:{ALIAS}"

    def versions(self, slug: str) -> str:
        """All versions of a workflow's function, and its alias."""
        return f"{self.function(slug)}:*"

    def role(self, name: str) -> str:
        """A role."""
        return self.arn("iam", f"role/{name}", region=False)

    def log_group(self, name: str) -> str:
        """A log group with all its streams, whose names Lambda makes up."""
        return self.arn("logs", f"log-group:{name}:*")

    @property
    def history(self) -> str:
        """The table of executions."""
        return self.arn("dynamodb", f"table/{self.names.history}")

    @property
    def data_bucket_name(self) -> str:
        """The bucket for what fits no item, and for large bundles."""
        return self.bucket_name("data")

    def bucket_name(self, name: str) -> str:
        """A bucket of the project; buckets have one name space for all accounts."""
        if is_arn(name):
            return name.rpartition(":")[2]
        text = f"{self.names.prefix}-{unique(name)}-{self.account}".lower().replace("_", "-")
        return cut(text, BUCKET_LIMIT)

    def bucket(self, name: str) -> str:
        """A bucket of the project, or another one by its ARN."""
        return name if is_arn(name) else self.bucket_of(self.bucket_name(name))

    def bucket_of(self, bucket_name: str) -> str:
        """A bucket by its real name."""
        return self.arn("s3", bucket_name, region=False, account=False)

    @property
    def bus(self) -> str:
        """The event bus."""
        return self.arn("events", f"event-bus/{self.names.shared}")

    def rule(self, slug: str, trigger: str) -> str:
        """A rule of the event bus."""
        return self.arn("events", f"rule/{self.names.shared}/{self.names.rule(slug, trigger)}")

    def queue(self, name: str) -> str:
        """A queue of the project, or another one by its ARN."""
        return name if is_arn(name) else self.arn("sqs", self.names.queue(name))

    def dead_letters(self, slug: str, *, fifo: bool = False) -> str:
        """A workflow's dead letters."""
        return self.arn("sqs", self.names.dead_letters(slug, fifo=fifo))

    def table(self, name: str) -> str:
        """A table of the project, or another one by its ARN or the ARN of its stream."""
        if is_arn(name):
            return name.partition("/stream/")[0]
        return self.arn("dynamodb", f"table/{self.names.table(name)}")

    def stream(self, name: str) -> str:
        """A table's stream; DynamoDB labels it with the time of its creation."""
        return name if "/stream/" in name else f"{self.table(name)}/stream/*"

    def secret(self, name: str) -> str:
        """A secret; Secrets Manager adds six characters to its name."""
        return self.arn("secretsmanager", f"secret:{self.names.secret(name)}-??????")

    @property
    def schedule_group(self) -> str:
        """The group of schedules."""
        return self.arn("scheduler", f"schedule-group/{self.names.shared}")

    def wakes(self, slug: str) -> str:
        """The schedules that wake a workflow's executions."""
        return self.arn("scheduler", f"schedule/{self.names.shared}/{self.names.wake(slug)}.*")

    @property
    def topic(self) -> str:
        """Where alarms are announced."""
        return self.arn("sns", self.names.topic)
