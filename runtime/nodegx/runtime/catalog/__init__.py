"""The node types a workflow can be made of, one module per type."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    cloud_request,
    cloud_response,
    code_python,
    data_json,
    data_set,
    data_transform,
    data_value,
    http_request,
    logic_for_each,
    logic_if,
    logic_merge,
    logic_retry,
    logic_stop,
    logic_switch,
    logic_try,
    logic_wait,
    trigger_event,
    trigger_file,
    trigger_manual,
    trigger_queue,
    trigger_record,
    trigger_schedule,
    trigger_webhook,
    workflow_call,
    workflow_emit,
)
from .types import NodeType

_ALIAS = "python."

CATALOG: Mapping[str, NodeType] = MappingProxyType(
    {
        declared.type: declared
        for declared in (
            trigger_webhook.NODE,
            trigger_schedule.NODE,
            trigger_manual.NODE,
            trigger_event.NODE,
            trigger_queue.NODE,
            trigger_file.NODE,
            trigger_record.NODE,
            cloud_request.NODE,
            cloud_response.NODE,
            logic_if.NODE,
            logic_switch.NODE,
            logic_for_each.NODE,
            logic_merge.NODE,
            logic_try.NODE,
            logic_retry.NODE,
            logic_stop.NODE,
            logic_wait.NODE,
            data_value.NODE,
            data_set.NODE,
            data_transform.NODE,
            data_json.NODE,
            http_request.NODE,
            code_python.NODE,
            workflow_call.NODE,
            workflow_emit.NODE,
        )
    }
)
"""Every node type by its name, in the order in which they are listed to people."""


def lookup(name: str) -> NodeType | None:
    """The node type called `name`, with or without the alias prefix `python.`, or None."""
    return CATALOG.get(name) or CATALOG.get(name.removeprefix(_ALIAS))
