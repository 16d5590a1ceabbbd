"""ministack, with what AWS does and it leaves out. Run by the Python of ministack's environment in
place of its own command; imports nothing of ours.

Added are, as AWS documents them:

- aliases: the weights of a canary, the invoke configuration of an alias, retries and dead letters
  of events that come over EventBridge;
- schedules: the context attributes in their input, such as `<aws.scheduler.scheduled-time>`; one
  that is due starts within a second or so, not ten;
- policies: the group of a schedule, in the name by which they are asked about it;
- metrics: Lambda's per alias and version, the depth of queues, what metric filters count in logs;
  alarms that look at the dimensions of a metric, and at what is missing.

Everything that is replaced must be there: a version of ministack that is built differently does
not start.
"""

# It works on the inside of a server that has no types.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportUnknownLambdaType=false

from __future__ import annotations

import contextlib
import json
import random
import re
import threading
import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

Json = dict[str, Any]

LATEST = "$LATEST"
TICK = 2.0
"""Seconds between two looks at queues and alarms; AWS looks once a minute."""

invoked: ContextVar[str | None] = ContextVar("invoked", default=None)
"""The alias by which a function is invoked directly."""
counted: ContextVar[bool] = ContextVar("counted", default=False)
"""Whether the invocation under way is counted already."""


def replaced(module: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Puts what `make` makes of a function in its place."""
    setattr(module, name, make(getattr(module, name)))


# ------------------------------------------------------------------------------- aliases


def chosen_version(function: Json | None, qualifier: str | None) -> str | None:
    """The version that an invocation of an alias goes to; other qualifiers as they are.
    Source: AWS Lambda Developer Guide, "Implementing canary deployments"."""
    alias = ((function or {}).get("aliases") or {}).get(qualifier)
    if alias is None:
        return qualifier
    weights: Json = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
    drawn = random.random()  # noqa: S311 - traffic, not secrets
    for version, weight in weights.items():
        drawn -= float(weight)
        if drawn < 0:
            return str(version)
    return str(alias.get("FunctionVersion", LATEST))


def invoke_configuration(function: Json | None, qualifier: str | None) -> Json | None:
    """How events for an alias are retried and given up."""
    configurations: Json = (function or {}).get("event_invoke_configs") or {}
    return configurations.get(qualifier or "")


def add_aliases(functions: Any, events: Any) -> None:
    """Lets aliases have weights and invoke configurations."""

    def resolving(resolve: Any) -> Any:
        def resolved(function: Json | None, qualifier: str | None) -> Any:
            record, config = resolve(function, chosen_version(function, qualifier))
            if record is None or record is function:
                return record, config
            configuration = invoke_configuration(function, qualifier)
            return {**record, "event_invoke_config": configuration, "alias": qualifier}, config

        return resolved

    def invoking(invoke: Any) -> Any:
        async def invoke_chosen(
            name: str,
            event: Any,
            headers: Json,
            path_qualifier: str | None = None,
            query_params: Json | None = None,
        ) -> Any:
            given: Any = (query_params or {}).get("Qualifier")
            found: Any = given[0] if isinstance(given, list) and given else given
            qualifier: str | None = path_qualifier or found or headers.get("x-amz-qualifier")
            version = chosen_version(functions._functions.get(name), qualifier)
            token = invoked.set(qualifier)
            try:
                return await invoke(name, event, headers, version, query_params)
            finally:
                invoked.reset(token)

        return invoke_chosen

    def retrying(retry: Any) -> Any:
        def retried(function: Json, event: Any) -> Any:
            alias = function.get("alias") or invoked.get()
            config = function.get("config") or function
            if alias and not function.get("event_invoke_config"):
                whole = functions._functions.get(config.get("FunctionName"))
                configuration = invoke_configuration(whole, alias)
                function = {**function, "event_invoke_config": configuration, "alias": alias}
            return retry(function, event)

        return retried

    def dispatching(dispatch: Any) -> Any:
        def dispatched(arn: str, payload: str) -> None:
            function, config, _ = functions._get_func_record_for_ref(arn)
            if not function or not config:
                return dispatch(arn, payload)
            record = functions._execution_record_for_config(function, config)
            return functions.invoke_async_with_retry(record, json.loads(payload))

        return dispatched

    replaced(functions, "_effective_func_record_for_qualifier", resolving)
    replaced(functions, "_invoke", invoking)
    replaced(functions, "invoke_async_with_retry", retrying)
    replaced(events, "_dispatch_to_lambda", dispatching)


# ----------------------------------------------------------------------------- schedules


def add_context_attributes(events: Any) -> None:
    """Fills in what the input of a schedule asks for.
    Source: EventBridge Scheduler User Guide, "Adding context attributes"."""

    def targeting(send: Any) -> Any:
        def sent(target: Json, event: Json, rule: Any, view: Any = None) -> Any:
            if event.get("Source") == "aws.scheduler" and target.get("Input"):
                moment = datetime.fromtimestamp(float(event["Time"]), UTC)
                attributes = {
                    "scheduled-time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "schedule-arn": event["Resources"][0],
                    "execution-id": str(uuid.uuid4()),
                    "attempt-number": "1",
                }
                text = target["Input"]
                for name, value in attributes.items():
                    text = text.replace(f"<aws.scheduler.{name}>", value)
                target = {**target, "Input": text}
            return send(target, event, rule, view)

        return sent

    replaced(events, "_invoke_target", targeting)


def name_schedules_by_their_group(actions: Any) -> None:
    """Asks policies about the schedule that is meant.
    Source: Service Authorization Reference, "Resource types defined by Amazon EventBridge Scheduler"."""

    def extracting(extract: Any) -> Any:
        def extracted(service: str, method: str, path: str, *rest: Any) -> Any:
            found = extract(service, method, path, *rest)
            if service != "scheduler" or ":schedule/default/" not in found:
                return found
            _, body, query, *_ = rest
            given: Any = (query or {}).get("groupName")
            group = given[0] if isinstance(given, list) and given else given
            if not group:
                with contextlib.suppress(ValueError):
                    group = json.loads(body or b"{}").get("GroupName")
            return found.replace(":schedule/default/", f":schedule/{group or 'default'}/")

        return extracted

    replaced(actions, "extract_resource_arn", extracting)


def look_at_schedules_often(schedules: Any) -> None:
    """AWS starts what is due when it is due, within the minute."""
    replaced(schedules, "_SCHEDULE_TICK_INTERVAL", lambda _: 1)


# ------------------------------------------------------------------------ metrics, alarms


def add_metrics(functions: Any, cloudwatch: Any) -> None:
    """Counts invocations by alias and version too.
    Source: AWS Lambda Developer Guide, "Types of metrics for Lambda functions"."""

    def executing(execute: Any) -> Any:
        def executed(function: Json, event: Any) -> Any:
            if counted.get():
                return execute(function, event)
            token = counted.set(True)
            begin = time.monotonic()
            try:
                result = execute(function, event)
            finally:
                counted.reset(token)
            alias = function.get("alias") or invoked.get()
            config = function.get("config") or function
            if alias:
                took = (time.monotonic() - begin) * 1000
                with contextlib.suppress(KeyError):
                    count(config, alias, took, result)
            return result

        return executed

    def count(config: Json, alias: str, took: float, result: Json) -> None:
        name = config["FunctionName"]
        by_alias = {"FunctionName": name, "Resource": f"{name}:{alias}"}
        by_version = {**by_alias, "ExecutedVersion": str(config.get("Version", LATEST))}
        values = {
            "Invocations": (1, "Count"),
            "Errors": (int(bool(result.get("error"))), "Count"),
            "Throttles": (int(bool(result.get("throttle"))), "Count"),
            "Duration": (took, "Milliseconds"),
        }
        for dimensions in (by_alias, by_version):
            for metric, (value, unit) in values.items():
                cloudwatch.record_metric("AWS/Lambda", metric, value, unit, dimensions)

    replaced(functions, "_execute_function", executing)


TERM = re.compile(r'\$\.(\w+) = "([^"]*)"')


def matches(pattern: str, message: str) -> bool:
    """Whether a line of a log fits a pattern `{ $.key = "text" || … }`; other patterns fit nothing.
    Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax"."""
    with contextlib.suppress(ValueError):
        data = json.loads(message)
        terms = [TERM.fullmatch(term.strip()) for term in pattern.strip("{ }").split("||")]
        return isinstance(data, dict) and any(
            term is not None and data.get(term[1]) == term[2] for term in terms
        )
    return False


def add_log_metrics(functions: Any, logs: Any, cloudwatch: Any) -> None:
    """Counts the lines of functions' logs that metric filters ask for."""

    def logging(emit: Any) -> Any:
        def emitted(function: Json, request: str, text: str, *rest: Any, **options: Any) -> None:
            emit(function, request, text, *rest, **options)
            config = function.get("config") or function
            group = f"/aws/lambda/{config.get('FunctionName')}"
            filters = [each for (of, _), each in list(logs._metric_filters.items()) if of == group]
            for each in filters:
                found = sum(matches(each["filterPattern"], line) for line in text.splitlines())
                for change in each["metricTransformations"]:
                    value = found * float(change["metricValue"])
                    name = change["metricName"]
                    cloudwatch.record_metric(change["metricNamespace"], name, value, "Count", {})

        return emitted

    replaced(functions, "_emit_lambda_logs", logging)


def add_alarms(cloudwatch: Any) -> None:
    """Lets an alarm look at the very metric that it names, and at nothing where there is nothing.
    Source: Amazon CloudWatch User Guide, "Configuring how alarms treat missing data"."""

    compare: dict[str, Callable[[float, float], bool]] = {
        "GreaterThanOrEqualToThreshold": lambda value, bound: value >= bound,
        "GreaterThanThreshold": lambda value, bound: value > bound,
        "LessThanThreshold": lambda value, bound: value < bound,
        "LessThanOrEqualToThreshold": lambda value, bound: value <= bound,
    }
    missing: dict[str, str] = {
        "breaching": "ALARM",
        "notBreaching": "OK",
        "missing": "INSUFFICIENT_DATA",
    }

    def evaluate(alarm: Json) -> None:
        namespace, metric = alarm.get("Namespace"), alarm.get("MetricName")
        test = compare.get(alarm.get("ComparisonOperator", ""))
        if not namespace or not metric or test is None:
            return
        dimensions = cloudwatch._dims_key(
            {each["Name"]: each["Value"] for each in alarm.get("Dimensions") or ()}
        )
        points: list[Json] = cloudwatch._metrics.get((namespace, metric, dimensions)) or []
        period, periods = int(alarm.get("Period", 60)), int(alarm.get("EvaluationPeriods", 1))
        now = time.time()
        recent = [point for point in list(points) if point["Timestamp"] >= now - period * periods]
        if not recent:
            created = float(alarm.get("AlarmConfigurationUpdatedTimestamp") or now)
            if now - created < period * periods:
                return  # too young to miss anything
            state = missing.get(alarm.get("TreatMissingData") or "missing", alarm["StateValue"])
            reason = "no data"
        else:
            name = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
            value = cloudwatch._stat_value(cloudwatch._calc_stats(recent), name, recent)
            if value is None:
                return
            breached = test(value, float(alarm.get("Threshold", 0)))
            state, reason = "ALARM" if breached else "OK", f"{name} is {value:g}"
        before = alarm["StateValue"]
        if before == state:
            return
        reason = f"Threshold Crossed: {reason}, the threshold {alarm.get('Threshold')}"
        alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
        cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
        cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)

    replaced(cloudwatch, "_evaluate_alarm", lambda _: evaluate)


def watch(queues: Any, cloudwatch: Any, responses: Any) -> None:
    """Measures queues and looks at alarms, for ever."""
    while True:
        time.sleep(TICK)
        stores = (*queues._queues._data, *cloudwatch._alarms._data)
        for account, region in {(key[0], key[1]) for key in stores}:
            responses.set_request_account_id(account)
            responses.set_request_region(region)
            with contextlib.suppress(RuntimeError):  # a store has changed meanwhile
                for queue in list(queues._queues.values()):
                    queues._refresh_counts(queue)
                    cloudwatch.record_metric(
                        "AWS/SQS",
                        "ApproximateNumberOfMessagesVisible",
                        float(queue["attributes"]["ApproximateNumberOfMessages"]),
                        "Count",
                        {"QueueName": queue["name"]},
                    )
                cloudwatch._evaluate_all_alarms()


def main() -> None:
    """Adds everything, and starts the server."""
    service = "ministack.services."
    functions, events = (
        import_module(f"{service}lambda_svc"),
        import_module(f"{service}eventbridge"),
    )
    cloudwatch, queues = import_module(f"{service}cloudwatch"), import_module(f"{service}sqs")
    add_aliases(functions, events)
    add_context_attributes(events)
    name_schedules_by_their_group(import_module("ministack.core.iam_actions"))
    look_at_schedules_often(import_module(f"{service}scheduler"))
    add_metrics(functions, cloudwatch)
    add_log_metrics(functions, import_module(f"{service}cloudwatch_logs"), cloudwatch)
    add_alarms(cloudwatch)
    responses = import_module("ministack.core.responses")
    threading.Thread(target=watch, args=(queues, cloudwatch, responses), daemon=True).start()
    import_module("ministack.app").main()


if __name__ == "__main__":
    main()
