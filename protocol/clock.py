"""Instants, as opposed to durations (those are `time.monotonic()`)."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["is_instant", "iso_of_ms", "now_iso", "now_ms", "parse_age_ms", "parse_iso_ms", "since_iso_ms"]

_AGE = re.compile(r"(\d{1,6})(d|h|min|s)")
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000}


def now_iso() -> str:
    """Return this instant as ISO 8601 in UTC with milliseconds: `2026-11-22T08:30:00.123Z`."""
    return _iso(dt.datetime.now(dt.timezone.utc))


def iso_of_ms(posix_ms: int) -> str:
    """Return a POSIX time in milliseconds as `now_iso` writes it."""
    return _iso(dt.datetime.fromtimestamp(posix_ms / 1000, dt.timezone.utc))


def _iso(instant: dt.datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def parse_iso_ms(text: str) -> int:
    """Return the POSIX time, in milliseconds, of an instant written by `now_iso`."""
    return round(dt.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def now_ms() -> int:
    """Return this instant as POSIX time in milliseconds."""
    return parse_iso_ms(now_iso())


def is_instant(text: str) -> bool:
    """Return whether `text`, which a peer wrote, can be read as an instant."""
    try:
        parse_iso_ms(text)
    except (ValueError, OverflowError):
        return False
    return True


def since_iso_ms(text: str) -> int:
    """Return the milliseconds since an instant written by `now_iso`; 0 where the clock was set back."""
    return max(0, now_ms() - parse_iso_ms(text))


def parse_age_ms(text: str) -> int | None:
    """Return the milliseconds of an age as people write it, `30d`, `12h`, `90min`, `0s`; None for others."""
    found = _AGE.fullmatch(text.strip())
    return int(found[1]) * _UNIT_MS[found[2]] if found is not None else None
