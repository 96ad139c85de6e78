"""The tables of docs/failpoints.md: where a process can be told to die, and in which run it comes there."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["PLACES", "RUNS"]

_DOCUMENT = (Path(__file__).resolve().parent.parent.parent / "docs" / "failpoints.md").read_text()

PLACES: dict[str, str] = dict(re.findall(r"^\| `([a-z.-]+)` \| (\w+) \|", _DOCUMENT, re.MULTILINE))
"""Name to the run in which it is reached."""
RUNS: list[str] = re.findall(r"^\| ([a-z]+) \| [^|]+\|$", _DOCUMENT.partition("## What")[2], re.MULTILINE)[1:]
