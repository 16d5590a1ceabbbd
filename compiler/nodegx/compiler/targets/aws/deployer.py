"""What whoever deploys must be allowed to do, and no more.

Where AWS makes up ids (HTTP APIs, event source mappings), a path or a condition narrows things down
instead of a name. Names of one stack share a prefix, so that a new workflow needs no new policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .iam import policy
from .names import Place
from .plan import Plan, QueueTrigger, RecordTrigger

Json = dict[str, Any]

EXCEPTIONS: Mapping[str, str] = {
    "logs:DescribeLogGroups": "lists; takes no single group",
    "logs:DescribeResourcePolicies": "has no resource types",
    "logs:PutResourcePolicy": "has no resource types; lets the API write its access log",
    "logs:CreateLogDelivery": "has no resource types; lets the API write its access log",
    "logs:DeleteLogDelivery": "has no resource types",
    "logs:GetLogDelivery": "has no resource types",
    "logs:ListLogDeliveries": "has no resource types",
    "logs:UpdateLogDelivery": "has no resource types",
    "cloudwatch:DescribeAlarms": "lists; the provider asks without names",
    "cloudwatch:GetMetricData": "has no resource types",
    "application-autoscaling:DescribeScalableTargets": "lists; takes no single target",
    "application-autoscaling:DescribeScalingPolicies": "lists; takes no single policy",
    "acm:RequestCertificate": "names nothing that exists",
    "route53:GetChange": "changes have ids of their own",
}
"""Actions that are granted on every resource, because AWS allows them on none other."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a stack uses beyond the plan."""

    domain: bool = False
    budget: bool = False
    warm: bool = False


@dataclass(frozen=True, slots=True)
class _Scope:
    plan: Plan
    place: Place
    features: Features

    @property
    def prefix(self) -> str:
        return self.place.names.prefix

    def named(self, service: str, *kinds: str, region: bool = True) -> list[str]:
        """Everything of the stack's, by the prefix of its names; `kinds` end where names begin."""
        return [
            self.place.arn(service, f"{kind}{self.prefix}{rest}", region=region)
            for kind in kinds
            for rest in ("", "-*")
        ]


@dataclass(frozen=True, slots=True)
class _Part:
    """A statement: for whom, what, on what."""

    sid: str
    actions: tuple[str, ...]
    resources: Callable[[_Scope], list[str]]
    needed: Callable[[_Scope], bool] = lambda _: True
    condition: Callable[[_Scope], Json] | None = None


def deployer_policy(plan: Plan, place: Place, features: Features | None = None) -> Json:
    """The least that deploying a project needs: to create, read, change and delete what is in its
    plan, and to look at how it does.

    Args:
        plan: the project.
        place: where it is deployed.
        features: what the stack uses beyond the plan.
    """
    scope = _Scope(plan, place, features or Features())
    return policy(*_statements(scope))


def _statements(scope: _Scope) -> Iterator[Json]:
    for part in _PARTS:
        if part.needed(scope):
            statement: Json = {
                "Sid": part.sid,
                "Effect": "Allow",
                "Action": list(part.actions),
                "Resource": part.resources(scope),
            }
            if part.condition is not None:
                statement["Condition"] = part.condition(scope)
            yield statement
    everywhere = [action for action in EXCEPTIONS if _is_needed(action, scope)]
    yield {"Sid": "Everywhere", "Effect": "Allow", "Action": everywhere, "Resource": ["*"]}


def _is_needed(action: str, scope: _Scope) -> bool:
    service = action.partition(":")[0]
    if service in ("acm", "route53"):
        return scope.features.domain
    if service == "application-autoscaling":
        return scope.features.warm
    delivery = "Delivery" in action or "Deliveries" in action or "ResourcePol" in action
    return scope.plan.has_api if delivery else True


def _actions(service: str, names: str) -> tuple[str, ...]:
    return tuple(f"{service}:{name}" for name in names.split())


def _buckets(scope: _Scope) -> list[str]:
    names = ("data", *scope.plan.buckets)
    return [scope.place.bucket(name) for name in names]


def _has(*kinds: Any) -> Callable[[_Scope], bool]:
    return lambda scope: scope.plan.has(*kinds)


_PARTS = (
    _Part(
        "Roles",
        _actions(
            "iam",
            "CreateRole DeleteRole DeleteRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies "
            "ListInstanceProfilesForRole ListRolePolicies PutRolePolicy TagRole UntagRole "
            "UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
        ),
        lambda scope: scope.named("iam", "role/", region=False),
    ),
    _Part(
        "HandOverRoles",
        ("iam:PassRole",),
        lambda scope: scope.named("iam", "role/", region=False),
        condition=lambda _: {
            "StringEquals": {
                "iam:PassedToService": ["lambda.amazonaws.com", "scheduler.amazonaws.com"]
            }
        },
    ),
    _Part(
        "Functions",
        _actions(
            "lambda",
            "AddPermission CreateAlias CreateFunction DeleteAlias DeleteFunction "
            "DeleteFunctionConcurrency DeleteFunctionEventInvokeConfig "
            "DeleteProvisionedConcurrencyConfig GetAlias GetFunction GetFunctionCodeSigningConfig "
            "GetFunctionConcurrency GetFunctionConfiguration GetFunctionEventInvokeConfig GetPolicy "
            "GetProvisionedConcurrencyConfig InvokeFunction ListTags ListVersionsByFunction "
            "PublishVersion PutFunctionConcurrency PutFunctionEventInvokeConfig "
            "PutProvisionedConcurrencyConfig RemovePermission TagResource UntagResource UpdateAlias "
            "UpdateFunctionCode UpdateFunctionConfiguration UpdateFunctionEventInvokeConfig",
        ),
        lambda scope: scope.named("lambda", "function:"),
    ),
    _Part(
        "Layers",
        _actions("lambda", "DeleteLayerVersion GetLayerVersion PublishLayerVersion"),
        lambda scope: scope.named("lambda", "layer:"),
    ),
    _Part(
        "Mappings",
        _actions(
            "lambda",
            "CreateEventSourceMapping DeleteEventSourceMapping GetEventSourceMapping "
            "UpdateEventSourceMapping",
        ),
        lambda scope: [scope.place.arn("lambda", "event-source-mapping:*")],
        _has(QueueTrigger, RecordTrigger),
        lambda scope: {"ArnLike": {"lambda:FunctionArn": scope.named("lambda", "function:")}},
    ),
    _Part(
        "MappingTags",
        _actions("lambda", "ListTags TagResource UntagResource"),
        lambda scope: [scope.place.arn("lambda", "event-source-mapping:*")],
        _has(QueueTrigger, RecordTrigger),
    ),
    _Part(
        "Tables",
        _actions(
            "dynamodb",
            "BatchGetItem BatchWriteItem CreateTable DeleteItem DeleteTable "
            "DescribeContinuousBackups DescribeTable DescribeTimeToLive GetItem ListTagsOfResource "
            "PutItem Query Scan TagResource UntagResource UpdateContinuousBackups UpdateItem "
            "UpdateTable UpdateTimeToLive",
        ),
        lambda scope: scope.named("dynamodb", "table/"),
    ),
    _Part(
        "Buckets",
        _actions(
            "s3",
            "CreateBucket DeleteBucket DeleteBucketPolicy GetAccelerateConfiguration GetBucketAcl "
            "GetBucketCORS GetBucketLogging GetBucketNotification GetBucketObjectLockConfiguration "
            "GetBucketPolicy GetBucketPublicAccessBlock GetBucketRequestPayment GetBucketTagging "
            "GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration "
            "GetLifecycleConfiguration GetReplicationConfiguration ListBucket ListBucketVersions "
            "PutBucketNotification PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging "
            "PutEncryptionConfiguration PutLifecycleConfiguration",
        ),
        _buckets,
    ),
    _Part(
        "Objects",
        _actions(
            "s3",
            "DeleteObject DeleteObjectVersion GetObject GetObjectTagging PutObject PutObjectTagging",
        ),
        lambda scope: [f"{bucket}/*" for bucket in _buckets(scope)],
    ),
    _Part(
        "Queues",
        _actions(
            "sqs",
            "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags "
            "SetQueueAttributes TagQueue UntagQueue",
        ),
        lambda scope: scope.named("sqs", ""),
        lambda scope: any(function.dead_letters for function in scope.plan.functions),
    ),
    _Part(
        "Events",
        _actions(
            "events",
            "CreateEventBus DeleteEventBus DeleteRule DescribeEventBus DescribeRule DisableRule "
            "EnableRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets "
            "TagResource UntagResource UpdateEventBus",
        ),
        lambda scope: [
            scope.place.bus,
            scope.place.arn("events", f"rule/{scope.place.names.shared}/*"),
        ],
        lambda scope: scope.plan.has_bus,
    ),
    _Part(
        "Schedules",
        _actions(
            "scheduler",
            "CreateSchedule CreateScheduleGroup DeleteSchedule DeleteScheduleGroup GetSchedule "
            "GetScheduleGroup ListTagsForResource TagResource UntagResource UpdateSchedule",
        ),
        lambda scope: [
            scope.place.schedule_group,
            scope.place.arn("scheduler", f"schedule/{scope.place.names.shared}/*"),
        ],
        lambda scope: scope.plan.has_schedules,
    ),
    _Part(
        "HttpApi",
        _actions("apigateway", "DELETE GET PATCH POST PUT TagResource UntagResource"),
        lambda scope: [
            scope.place.arn("apigateway", path, account=False)
            for path in ("/apis", "/apis/*", "/tags/*")
        ],
        lambda scope: scope.plan.has_api,
    ),
    _Part(
        "Logs",
        _actions(
            "logs",
            "CreateLogGroup DeleteLogGroup DeleteMetricFilter DeleteRetentionPolicy "
            "DescribeMetricFilters FilterLogEvents ListTagsForResource PutMetricFilter "
            "PutRetentionPolicy StartLiveTail TagResource UntagResource",
        ),
        lambda scope: scope.named("logs", "log-group:/aws/lambda/", "log-group:/aws/vendedlogs/"),
    ),
    _Part(
        "Alarms",
        _actions(
            "cloudwatch",
            "DeleteAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
        ),
        lambda scope: scope.named("cloudwatch", "alarm:"),
    ),
    _Part(
        "Dashboards",
        _actions("cloudwatch", "DeleteDashboards GetDashboard PutDashboard"),
        lambda scope: scope.named("cloudwatch", "dashboard/", region=False),
    ),
    _Part(
        "Topics",
        _actions(
            "sns",
            "CreateTopic DeleteTopic GetSubscriptionAttributes GetTopicAttributes "
            "ListTagsForResource SetTopicAttributes Subscribe TagResource Unsubscribe UntagResource",
        ),
        lambda scope: scope.named("sns", ""),
    ),
    _Part(
        "Secrets",
        _actions(
            "secretsmanager",
            "CreateSecret DeleteSecret DescribeSecret GetResourcePolicy GetSecretValue "
            "PutSecretValue TagResource UntagResource UpdateSecret UpdateSecretVersionStage",
        ),
        lambda scope: [scope.place.secret(name) for name in scope.plan.secrets],
        lambda scope: bool(scope.plan.secrets),
    ),
    _Part(
        "WarmInstances",
        _actions(
            "application-autoscaling",
            "DeleteScalingPolicy DeregisterScalableTarget ListTagsForResource PutScalingPolicy "
            "RegisterScalableTarget TagResource UntagResource",
        ),
        lambda scope: [scope.place.arn("application-autoscaling", "scalable-target/*")],
        lambda scope: scope.features.warm,
    ),
    _Part(
        "Budget",
        _actions(
            "budgets", "ListTagsForResource ModifyBudget TagResource UntagResource ViewBudget"
        ),
        lambda scope: scope.named("budgets", "budget/", region=False),
        lambda scope: scope.features.budget,
    ),
    _Part(
        "Domain",
        _actions("apigateway", "DELETE GET PATCH POST PUT"),
        lambda scope: [
            scope.place.arn("apigateway", path, account=False)
            for path in ("/domainnames", "/domainnames/*")
        ],
        lambda scope: scope.features.domain,
    ),
    _Part(
        "Certificate",
        _actions(
            "acm",
            "AddTagsToCertificate DeleteCertificate DescribeCertificate ListTagsForCertificate "
            "RemoveTagsFromCertificate",
        ),
        lambda scope: [scope.place.arn("acm", "certificate/*")],
        lambda scope: scope.features.domain,
    ),
    _Part(
        "Records",
        _actions("route53", "ChangeResourceRecordSets GetHostedZone ListResourceRecordSets"),
        lambda scope: [scope.place.arn("route53", "hostedzone/*", region=False, account=False)],
        lambda scope: scope.features.domain,
    ),
)
"""What there is to manage, service by service."""
