"""What a deployment changes and costs, for people and as JSON data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .output import clean, duration, line, plural, style, table
from .projects import short_name

if TYPE_CHECKING:
    from nodegx.providers.aws.changes import WorkflowChange
    from nodegx.providers.aws.cost import Estimate
    from nodegx.providers.aws.review import Review
    from nodegx.providers.aws.steps import Outcome, Step

SIGNS = {"added": "+", "removed": "-", "changed": "~", "same": " "}
SHADES = {"+": "green", "-": "red", "~": "yellow", " ": None}
OPERATIONS = {
    "create": "+",
    "update": "~",
    "replace": "±",
    "create-replacement": "±",
    "delete-replaced": "±",
    "delete": "-",
}
OPERATION_SHADES = {"+": "green", "-": "red", "~": "yellow", "±": "magenta"}
WORDS = {"+": "created", "~": "updated", "±": "replaced", "-": "deleted"}
LISTED = 60
"""Resources that are listed one by one."""


def show_review(review: Review) -> None:
    """What happens to each workflow."""
    changed = review.changed
    if not changed and not review.shared:
        line("workflows: nothing changes")
        return
    line(style("workflows", bold=True))
    for each in changed:
        sign = SIGNS[each.kind]
        name = style(clean(short_name(each.workflow)), bold=True)
        line(f"{style(sign, SHADES[sign])} {name}")
        for change in each.changes:
            line(f"    {style(change.sign, SHADES[change.sign])} {clean(change.text)}")
    for change in review.shared:
        line(f"{style(change.sign, SHADES[change.sign])} {clean(change.text)}")
    same = len(review.workflows) - len(changed)
    if same:
        line(style(f"  {plural(same, 'workflow')} unchanged", dim=True))


def show_resources(outcome: Outcome) -> None:
    """What happens to the resources."""
    steps = changing(outcome.steps)
    counts = Counter(OPERATIONS.get(step.op, "~") for step in steps)
    line()
    if not steps:
        line("resources: nothing changes")
        return
    line(style("resources", bold=True) + f"  {summary(counts)}")
    for step in sorted(steps, key=lambda each: (each.kind, each.name))[:LISTED]:
        line(step_line(step))
    if len(steps) > LISTED:
        line(style(f"  … and {len(steps) - LISTED} more", dim=True))


def changing(steps: Iterable[Step]) -> list[Step]:
    """The steps that make a resource different; components only group others."""
    return [step for step in steps if step.changes and not step.is_component]


def step_line(step: Step) -> str:
    """A resource and what happens to it."""
    sign = OPERATIONS.get(step.op, "~")
    names = sorted({name.split(".")[0].split("[")[0] for name in step.diffs} - {"__defaults"})
    what = f"  {', '.join(names)}" if names and step.op not in ("create", "delete") else ""
    mark = style(sign, OPERATION_SHADES[sign])
    return f"{mark} {style(step.kind, dim=True)} {clean(step.name)}{style(what, 'yellow')}"


def summary(counts: Counter[str]) -> str:
    """`12 created, 1 updated`."""
    return ", ".join(f"{counts[sign]} {WORDS[sign]}" for sign in WORDS if counts[sign])


def show_costs(estimate: Estimate) -> None:
    """What each workflow costs a month, and what that rests on."""
    prices = estimate.prices
    line()
    line(style("cost a month", bold=True) + f"  {prices.currency}, {prices.region}")
    rows = [
        (
            clean(short_name(cost.workflow)),
            f"{cost.runs:,.0f}",
            duration(cost.seconds) + ("" if cost.is_measured else " assumed"),
            f"{cost.memory} MiB",
            money(cost.parts["compute"]),
            money(cost.parts["history"] + cost.parts["logs"]),
            money(cost.total - cost.parts["compute"] - cost.parts["history"] - cost.parts["logs"]),
            style(money(cost.total), bold=True),
        )
        for cost in estimate.costs
    ]
    rows += [
        (name, "", "", "", "", "", money(value), style(money(value), bold=True))
        for name, value in estimate.shared.items()
    ]
    rows.append(("total", "", "", "", "", "", "", style(money(estimate.total), bold=True)))
    headings = ("workflow", "runs", "each", "memory", "compute", "history+logs", "other", "total")
    table(headings, rows, right=range(1, 8), whole=range(1, 8))
    line(style(f"prices of {prices.date}: " + "; ".join(estimate.assumptions), dim=True))


def money(value: float) -> str:
    """An amount: cents where there are some, more digits where there are not."""
    return f"{value:,.2f}" if value >= 0.1 or value == 0 else f"{value:,.4f}"


# ---------------------------------------------------------------------------------- JSON data


def review_data(review: Review) -> dict[str, Any]:
    """A review as JSON data."""
    return {
        "workflows": [_workflow_data(each) for each in review.workflows],
        "shared": [f"{change.sign} {change.text}" for change in review.shared],
    }


def _workflow_data(change: WorkflowChange) -> dict[str, Any]:
    return {
        "name": change.workflow,
        "slug": change.slug,
        "change": change.kind,
        "details": [f"{each.sign} {each.text}" for each in change.changes],
    }


def resources_data(outcome: Outcome) -> list[dict[str, Any]]:
    """The resources that change, as JSON data."""
    return [
        {
            "operation": step.op,
            "type": step.type,
            "name": step.name,
            "id": step.id or None,
            "properties": list(step.diffs),
        }
        for step in changing(outcome.steps)
    ]


def costs_data(estimate: Estimate) -> dict[str, Any]:
    """An estimate as JSON data."""
    prices = estimate.prices
    return {
        "currency": prices.currency,
        "region": prices.region,
        "date": prices.date,
        "sources": prices.sources,
        "assumptions": list(estimate.assumptions),
        "workflows": [
            {
                "name": cost.workflow,
                "slug": cost.slug,
                "runs": round(cost.runs, 2),
                "seconds": round(cost.seconds, 6),
                "measured": cost.is_measured,
                "memory": cost.memory,
                "parts": {name: round(value, 6) for name, value in cost.parts.items()},
                "total": round(cost.total, 6),
            }
            for cost in estimate.costs
        ],
        "shared": dict(estimate.shared),
        "total": round(estimate.total, 6),
    }
