"""AWS Budgets."""

from __future__ import annotations

from nodegx.providers.aws.emulator.properties import Properties
from nodegx.providers.aws.emulator.resource import Resource

_LIMIT = ("limitAmount", "limitUnit")


class Budget(Resource):
    type = "aws:budgets/budget:Budget"
    required = frozenset({"budgetType", "timeUnit"})
    optional = frozenset({"name", "costFilters", "notifications", "tags", *_LIMIT})
    replaces = frozenset({"name"})
    computed = frozenset({"arn"})
    named = "name"

    def create(self, inputs: Properties) -> str:
        self.cloud.client("budgets").create_budget(
            AccountId=self.cloud.account,
            Budget=self._budget(inputs),
            NotificationsWithSubscribers=[
                _notification(each) for each in inputs.get("notifications") or ()
            ],
        )
        return f"{self.cloud.account}:{inputs['name']}"

    def read(self, id: str, state: Properties) -> Properties | None:
        account, _, name = id.partition(":")
        budgets = self.cloud.client("budgets")
        found = budgets.describe_budget(AccountId=account, BudgetName=name)["Budget"]
        limit: Properties = found.get("BudgetLimit") or {}
        return {
            "name": name,
            "arn": self.cloud.arn("budgets", f"budget/{name}", region=""),
            "budgetType": found["BudgetType"],
            "timeUnit": found["TimeUnit"],
            "limitAmount": limit.get("Amount"),
            "limitUnit": limit.get("Unit"),
        }

    def update(self, id: str, old: Properties, new: Properties) -> None:
        if old.get("notifications") != new.get("notifications"):
            self.delete(id, old)
            self.create(new)
            return
        self.cloud.client("budgets").update_budget(
            AccountId=self.cloud.account, NewBudget=self._budget(new)
        )

    def delete(self, id: str, state: Properties) -> None:
        account, _, name = id.partition(":")
        self.cloud.client("budgets").delete_budget(AccountId=account, BudgetName=name)

    def _budget(self, inputs: Properties) -> Properties:
        budget: Properties = {
            "BudgetName": inputs["name"],
            "BudgetType": inputs["budgetType"],
            "TimeUnit": inputs["timeUnit"],
        }
        if inputs.get("limitAmount"):
            budget["BudgetLimit"] = {
                "Amount": str(inputs["limitAmount"]),
                "Unit": inputs["limitUnit"],
            }
        filters = inputs.get("costFilters")
        if filters:
            budget["CostFilters"] = {each["name"]: each["values"] for each in filters}
        return budget


def _notification(given: Properties) -> Properties:
    subscribers = [
        {"SubscriptionType": kind, "Address": address}
        for kind, key in (
            ("SNS", "subscriberSnsTopicArns"),
            ("EMAIL", "subscriberEmailAddresses"),
        )
        for address in given.get(key) or ()
    ]
    return {
        "Notification": {
            "NotificationType": given["notificationType"],
            "ComparisonOperator": given["comparisonOperator"],
            "Threshold": float(given["threshold"]),
            "ThresholdType": given["thresholdType"],
        },
        "Subscribers": subscribers,
    }


TYPES = (Budget,)
