"""Secrets, by the names that workflows use."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_aws import secretsmanager

from .context import Component, Context

KEPT_DAYS = 30
"""Days for which production can have a deleted secret back."""


class Secrets(Component):
    """Secrets in Secrets Manager.

    A value comes from the stack's configuration, where it is encrypted
    (`pulumi config set --secret secret.NAME`); a secret without one is made empty, to be filled by
    whoever may know it.

    Args:
        context: the deployment.
        names: names of the secrets.
    """

    def __init__(
        self,
        context: Context,
        names: Sequence[str],
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("Secrets", "secrets", context, opts)
        self.arns: dict[str, pulumi.Output[str]] = {}
        for name in names:
            secret = secretsmanager.Secret(
                name,
                name=context.place.names.secret(name),
                recovery_window_in_days=KEPT_DAYS if context.settings.production else 0,
                tags=context.tags(),
                opts=self.child(stateful=True),
            )
            value = context.config.get_secret(f"secret.{name}")
            if value is not None:
                secretsmanager.SecretVersion(
                    name, secret_id=secret.arn, secret_string=value, opts=self.child()
                )
            self.arns[name] = secret.arn
        self.register_outputs({"secrets": dict(self.arns)})
