"""The blocks of a document that one can follow: files to write, files that are quoted, commands to run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks_of"]

_BLOCK = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`, (?P<deed>[a-z ]+):\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """One block between fences."""

    kind: str
    """`sh`, or what the file is written in."""
    path: str
    """The file, empty where none is named."""
    deed: str
    """What to do with the file: `a new file`, `at its end`, `as it is`, `in part`."""
    text: str


def blocks_of(document: Path) -> list[Block]:
    """Return the blocks in order."""
    return [
        Block(match["kind"], match["path"] or "", match["deed"] or "", match["text"])
        for match in _BLOCK.finditer(document.read_text(encoding="utf-8"))
    ]
