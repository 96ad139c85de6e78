"""The text of a spec as it is now, asking for the packages that an earlier text of it asked for."""

from __future__ import annotations

import re
import tomllib

__all__ = ["joined"]

_OF_THE_BUILD = ("python", "include", "requirements", "nvidia_requirements")
"""What a build is made by; all else in a spec is said to this checkout."""
_TABLE = re.compile(r"\[+\s*[A-Za-z\"']")


def joined(now: str, then: str) -> str | None:
    """Return `now` with the packages of `then`; None where the lines of one do not fit into the other.

    It is made of their lines, so that comments stay.
    """
    lines = now.splitlines()
    for key in _OF_THE_BUILD:
        start, end = _lines_of(key, lines) or (0, 0)
        earlier = then.splitlines()
        lines[start:end] = earlier[slice(*(_lines_of(key, earlier) or (0, 0)))]
    text = "\n".join(lines) + "\n"
    wanted, packages = tomllib.loads(now), tomllib.loads(then)
    for key in _OF_THE_BUILD:
        wanted.pop(key, None)
        if key in packages:
            wanted[key] = packages[key]
    try:
        return text if tomllib.loads(text) == wanted else None
    except tomllib.TOMLDecodeError:
        return None


def _lines_of(key: str, lines: list[str]) -> tuple[int, int] | None:
    """Return the range of the lines that set the key; None where no line before the first table does."""
    for start, line in enumerate(lines):
        if _TABLE.match(line):
            return None
        if re.match(rf"{key}\s*=", line):
            for end in range(start + 1, len(lines) + 1):
                if _is_whole("\n".join(lines[start:end])):
                    return start, end
    return None


def _is_whole(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True
