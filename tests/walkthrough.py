"""The blocks of a document that one can follow: files to write or change, files that are quoted, commands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "blocks_of", "changed"]

_BLOCK = (
    r"(?:^`(?P<path>[^`\n]+)`, (?P<deed>[a-z ]+):\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$"
    r"|^%s (?P<part>[^\n]+)$"
)


@dataclass(frozen=True)
class Block:
    """One block between fences."""

    part: str
    """The heading that it stands under."""
    kind: str
    """`sh`, `diff`, or what the file is written in."""
    path: str
    """The file, empty where none is named."""
    deed: str
    """What to do with the file: `a new file`, `at its end`, `a change`, `as it is`, `in part`."""
    text: str


def blocks_of(document: Path, heading: str = "#") -> list[Block]:
    """Return the blocks in order; `heading` says which level of headings names a part."""
    pattern = re.compile(_BLOCK % heading, re.MULTILINE | re.DOTALL)
    blocks: list[Block] = []
    part = ""
    for match in pattern.finditer(document.read_text(encoding="utf-8")):
        if match["part"]:
            part = match["part"]
        else:
            blocks.append(Block(part, match["kind"], match["path"] or "", match["deed"] or "", match["text"]))
    return blocks


def changed(text: str, diff: str) -> str:
    """Return the text of a file with the change that a `diff` shows; hunks stand apart by lines with `@@`.

    Raises `AssertionError` unless the text has the lines of each hunk, as they were, exactly once.
    """
    for hunk in re.split(r"^@@.*\n", diff, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        after = "".join(line[1:] for line in lines if not line.startswith("-"))
        if lines:
            assert text.count(before) == 1, f"not there exactly once:\n{before}"
            text = text.replace(before, after)
    return text
