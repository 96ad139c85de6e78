"""A rule of ruff or mypy that is suppressed somewhere is named there, with the reason in brackets."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.contract.source import ROOMS, ROOT

SUPPRESSES = re.compile(r"#\s*(ruff:|noqa|type:\s*ignore)", re.IGNORECASE)
WITH_A_REASON = re.compile(
    r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* \(.+\)"
    r"|# type: ignore\[[a-z-]+(, [a-z-]+)*\]  # \(.+\)"
    r"|# ruff: noqa: [A-Z]+\d+ - .+"
)


def comments() -> Iterator[tuple[str, str]]:
    """Return the place and the text of every comment in the product and in its tests."""
    paths = [path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")]
    for path in [ROOT / "supervisor.py", *paths]:
        yield from _comments_of(path)


def _comments_of(path: Path) -> Iterator[tuple[str, str]]:
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield f"{path.relative_to(ROOT)}:{token.start[0]}", token.string


def test_a_suppressed_rule_carries_its_code_and_the_reason() -> None:
    wrong = [
        f"{place}: {text}"
        for place, text in comments()
        if SUPPRESSES.match(text) and not WITH_A_REASON.fullmatch(text)
    ]
    assert wrong == []
