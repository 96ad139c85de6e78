"""The language that a subtitle file's name tells: `Film.en.srt`, `Film.pt_BR.forced.srt`. Pure."""

from __future__ import annotations

import re
from pathlib import Path

from protocol.errors import UsageError
from protocol.languages import IN_TWO_SCRIPTS, find_language, find_tag
from protocol.timeline import UNDETERMINED

__all__ = ["language_in_name"]

_FLAGS = frozenset({"forced", "sdh", "cc", "hi", "default", "full"})
"""Words that follow the language in file names. `hi` still means Hindi if no other part is a language."""
_TAG = re.compile(
    r"([a-z]{2,3})(?:[-_]([a-z]{4}))?(?:[-_](?:[a-z]{2}|\d{3}))?(?:[-_]x(?:[-_]\w+)+)?", re.IGNORECASE
)
"""A language, its script and its region (BCP 47), as systems write it too, with `_`."""


def language_in_name(path: Path) -> str:
    """Return the language in a file's name, such as `Film.en.forced.srt`; `und` if it has none.

    With its script where that is not the usual one: `hi-Latn`.
    """
    found = ""
    for part in reversed(path.stem.split(".")[1:]):
        code = _code(part)
        if part.casefold() not in _FLAGS:
            return code or found or UNDETERMINED
        found = found or code
    return found or UNDETERMINED


def _code(part: str) -> str:
    tag = _TAG.fullmatch(part.strip())
    try:
        if tag and tag[2] and (found := find_tag(f"{tag[1]}-{tag[2]}")).language not in IN_TWO_SCRIPTS:
            return str(found)
    except UsageError:
        # A script that this program writes nothing in: the language alone counts.
        pass
    try:
        return find_language(tag[1] if tag else part).code
    except UsageError:
        return ""
