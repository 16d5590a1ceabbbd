"""From manifests to the plan."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from nodegx.compiler.diagnostics import quoted
from nodegx.compiler.manifest import Manifest

from . import environment, sharing
from .findings import Finding, Findings
from .names import Names, Place, resume_route
from .plan import (
    GRACE,
    MAX_MEMORY,
    MAX_TIMEOUT,
    MEMORY,
    MIN_MEMORY,
    Function,
    HttpTrigger,
    Plan,
    Trigger,
)
from .triggers import Context, Refused, trigger_of

ANY_NAME = "*"
"""In a manifest: a name that is computed at run time."""
HTTP_PACKAGE = "mangum"
SOMEWHERE = Place(Names("p" * 30, "production"), "0" * 12, "ap-southeast-1")
"""A place with long names, to see whether environments are small enough."""
ARN_ROOM = 120
"""Bytes that the ARN of a secret takes."""


def make_plan(
    name: str, vars: Mapping[str, Any], retention_days: int, manifests: Iterable[Manifest]
) -> tuple[Plan, list[Finding]]:
    """The plan of a project, as good as it can be made, and what is wrong with it.

    Args:
        name: the project's name.
        vars: the project's variables.
        retention_days: days for which executions are kept.
        manifests: all its workflows.
    """
    ordered = sorted(manifests, key=lambda manifest: manifest.slug)
    planner = _Planner({manifest.name: manifest for manifest in ordered}, vars)
    functions = [planner.function(manifest) for manifest in ordered]
    by_slug = {manifest.slug: manifest for manifest in ordered}
    functions = sharing.settle(functions, by_slug, planner.findings)
    read = {name for function in functions for name in function.vars}
    plan = Plan(
        project=name,
        functions=tuple(functions),
        vars={name: value for name, value in vars.items() if name in read},
        retention_days=retention_days,
    )
    return plan, planner.findings


@dataclass(slots=True)
class _Planner:
    """State of planning: the project's workflows by name, and what has been found wrong."""

    by_name: Mapping[str, Manifest]
    vars: Mapping[str, Any]
    findings: Findings = field(default_factory=Findings)

    def function(self, manifest: Manifest) -> Function:
        """A workflow's function."""
        settings = manifest.settings
        timeout = self._timeout(manifest)
        triggers = tuple(self._triggers(manifest, timeout))
        http = any(isinstance(trigger, HttpTrigger) for trigger in triggers)
        awaits = settings.durable and manifest.awaits_requests
        resume = resume_route(manifest.slug) if awaits else None
        calls = self._calls(manifest)
        function = Function(
            slug=manifest.slug,
            workflow=manifest.name,
            description=manifest.description,
            triggers=triggers,
            memory=self._memory(manifest),
            timeout=timeout,
            concurrency=settings.concurrency,
            calls=calls,
            calls_durable=tuple(name for name in calls if self._is_durable(name)),
            emits=tuple(manifest.emits),
            secrets=tuple(manifest.secrets),
            vars=tuple(manifest.vars),
            env=tuple(manifest.env),
            history=settings.capture != "off",
            keys=any(trigger.config.get("idempotency") for trigger in manifest.triggers),
            durable=settings.durable,
            continues=manifest.continues and http and not settings.durable,
            resume_route=resume,
            callers=self._callers(manifest),
            retention_days=settings.retention_days,
            packages=tuple(
                sorted({*manifest.packages, *([HTTP_PACKAGE] if http or resume else [])})
            ),
        )
        self._check_environment(manifest, function)
        return function

    def _memory(self, manifest: Manifest) -> int:
        memory = manifest.settings.memory or MEMORY
        if not MIN_MEMORY <= memory <= MAX_MEMORY:
            self.findings.error(
                manifest,
                "NX703",
                f"Lambda functions have {MIN_MEMORY} to {MAX_MEMORY:,} MiB, not {memory:,}",
                f"use {min(max(memory, MIN_MEMORY), MAX_MEMORY)}",
                setting="memory",
            )
        return memory

    def _timeout(self, manifest: Manifest) -> int:
        limit = manifest.settings.timeout
        if limit is not None and limit <= MAX_TIMEOUT - GRACE:
            return math.ceil(limit) + GRACE
        if manifest.settings.durable:
            return MAX_TIMEOUT  # it goes on in another invocation
        self.findings.warn(
            manifest,
            "NX702",
            "Lambda stops a function after 15 minutes",
            f"set a timeout of at most {MAX_TIMEOUT - GRACE} s, and call further workflows",
            setting="timeout",
        )
        return MAX_TIMEOUT

    def _triggers(self, manifest: Manifest, timeout: int) -> Iterator[Trigger]:
        names = {node.id: node.name for node in manifest.nodes}
        for entry in manifest.triggers:
            warn = partial(self.findings.warn, manifest, node=entry.node)
            context = Context(manifest, timeout, names.get(entry.node, entry.node), warn)
            try:
                yield trigger_of(entry, context)
            except Refused as refused:
                self.findings.error(
                    manifest,
                    refused.code,
                    str(refused),
                    refused.hint,
                    node=entry.node,
                    param=refused.param,
                )

    def _calls(self, manifest: Manifest) -> dict[str, str]:
        """Workflows that may be called, with their slugs; a computed name may be any of them."""
        names = {name for name in manifest.calls if name != ANY_NAME}
        for name in sorted(names - self.by_name.keys()):
            message = f"there is no workflow {quoted(name)}"
            self.findings.error(manifest, "NX603", message, "compile the whole project")
        if ANY_NAME in manifest.calls:
            names.update(name for name, other in self.by_name.items() if _is_callable(other))
        return {name: self.by_name[name].slug for name in sorted(names & self.by_name.keys())}

    def _is_durable(self, name: str) -> bool:
        return self.by_name[name].settings.durable

    def _callers(self, manifest: Manifest) -> tuple[str, ...]:
        """Durable workflows that may call a durable one, by slug."""
        if not manifest.settings.durable:
            return ()
        names = {manifest.name, *([ANY_NAME] if _is_callable(manifest) else [])}
        callers = (other for other in self.by_name.values() if other.settings.durable)
        return tuple(sorted(each.slug for each in callers if names & set(each.calls)))

    def _check_environment(self, manifest: Manifest, function: Function) -> None:
        variables = environment.environment(
            function, SOMEWHERE, vars=self.vars, revision=manifest.revision
        )
        secrets = sum(len(name) + ARN_ROOM for name in function.secrets)
        if (size := environment.size(variables) + secrets) > environment.MAX_BYTES:
            self.findings.error(
                manifest,
                "NX707",
                f"its variables take {size:,} bytes; Lambda allows {environment.MAX_BYTES:,}",
                "keep large values out of the project's variables",
            )


def _is_callable(manifest: Manifest) -> bool:
    return any(trigger.type == "trigger.manual" for trigger in manifest.triggers)
