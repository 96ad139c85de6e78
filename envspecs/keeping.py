"""How long jobs that have ended are kept, as a person sets it."""

from __future__ import annotations

from collections.abc import Mapping

from protocol.clock import parse_age_ms
from protocol.errors import UsageError

__all__ = ["prune_after_ms"]

_VARIABLE = "CPW_PRUNE"
_LEAST_MS = 3_600_000


def prune_after_ms(environ: Mapping[str, str]) -> int | None:
    """Return how long after their end jobs are removed: `CPW_PRUNE`; None: never, which is the default.

    Raises `UsageError` where the variable is no age of an hour or more.
    """
    text = environ.get(_VARIABLE, "").strip()
    if text in ("", "off"):
        return None
    age_ms = parse_age_ms(text)
    if age_ms is None or age_ms < _LEAST_MS:
        message = f"{_VARIABLE} is {text!r}, not an age of an hour or more."
        raise UsageError(message, f"Write for instance: {_VARIABLE}=30d, {_VARIABLE}=12h, {_VARIABLE}=off")
    return age_ms
