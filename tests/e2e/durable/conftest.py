from __future__ import annotations

import pytest

POINTS = "kill points"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tells at how many points servers were killed."""
    passed: list[pytest.TestReport] = terminalreporter.stats.get("passed", [])
    points = [value for each in passed for name, value in each.user_properties if name == POINTS]
    if points:
        terminalreporter.line(f"servers were killed at {sum(points)} points")
