"""What names functions and their aliases."""

from __future__ import annotations

from nodegx.providers.aws.emulator.cloud import Cloud
from nodegx.providers.aws.emulator.properties import Properties


def invoke_arn(cloud: Cloud, arn: str) -> str:
    """The ARN under which API Gateway invokes a function, or an alias.

    Args:
        cloud: where that is.
        arn: of the function, or the alias.
    """
    return f"arn:aws:apigateway:{cloud.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


def qualified(properties: Properties) -> Properties:
    """The parameters of calls that name a function, and maybe an alias of it."""
    found = {"FunctionName": properties["functionName"]}
    if properties.get("qualifier"):
        found["Qualifier"] = properties["qualifier"]
    return found
