"""Skips what this machine cannot run, and says why."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

import pytest

import envspecs
from tests.differences import short_difference

# A person's own house must not be drawn into the tests, nor they into it; and no test has models fetched.
os.environ["CPW_SETUP"] = "off"
for _name in ("CPW_HOME", "CPW_MODELS", "CPW_OUT", "CPW_RUNTIME", "CPW_STATE"):
    os.environ.pop(_name, None)

# What a shell starts in the background ignores Ctrl-C, and so do its children; tests send them one.
signal.signal(signal.SIGINT, signal.default_int_handler)

Figure = Callable[[str], None]
_FIGURE = "figure"
_FIGURES: list[str] = []


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    """Return a function that puts a measured figure into the summary of the run.

    It goes with the test's report: that alone comes back from a process that tests for another one.
    """
    return lambda line: request.node.user_properties.append((_FIGURE, line))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the figures of a test, once it is over."""
    if report.when == "teardown":
        _FIGURES.extend(line for name, line in report.user_properties if name == _FIGURE)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give tests that share something dear to one process."""
    from tests.together import ByFile

    return ByFile(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    if _FIGURES:
        terminalreporter.section("figures")
        for line in _FIGURES:
            terminalreporter.write_line(line)


def pytest_assertrepr_compare(op: str, left: object, right: object) -> list[str] | None:
    """Print little of a picture, a sound or a film that is not what was expected."""
    return short_difference(left, right) or None if op == "==" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip tests of environments that are not built."""
    for item in items:
        for marker in item.iter_markers("env"):
            for name in marker.args:
                if not envspecs.is_built(envspecs.read(name)):
                    reason = f"the environment {name} is not built: make build"
                    item.add_marker(pytest.mark.skip(reason=reason))
