"""Lines of times as SubRip and WebVTT have them, and lines that look like them and are none. Pure.

A player skips a cue whose times it cannot read, or shows them as text. So a line that looks like times is
read as what was meant, and told (`reading.timings`).
"""

# ruff: noqa: RUF001 - dashes that people and programs write instead of a hyphen are meant here.

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Timing", "is_timing", "looks_like_times", "read_timing"]

_CLOCK = r"(-?(?:\d+:)?[0-5]?\d:[0-5]?\d(?:[.,:]\d{1,3})?)"
_SUBRIP = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s+(.*))?")
_VTT_CLOCK = r"(?:\d+:)?[0-5]\d:[0-5]\d\.\d{3}"
_WEBVTT = re.compile(rf"\s*{_VTT_CLOCK}\s*-->\s*{_VTT_CLOCK}(?:\s.*)?")
"""What browsers read (W3C, WebVTT, 6.3 and 6.4): a point, three digits, two for minutes and for seconds."""
_SETTINGS = re.compile(r"(?:(?:[XY][12]\s*:\s*-?\d+|[a-z]+:\S+)(?:\s+|$))*")
"""What may follow the times: SubRip's rectangle, WebVTT's settings."""

_MARK = r"\s*[:;.,]\s*"
_DIGITS = r"[\dOolI]"
_LOOSE_CLOCK = rf"([-−–]?\s*\d{_DIGITS}*(?:{_MARK}{_DIGITS}+){{2,3}})"
_ARROWS = "›»→⇒➔➜"
_ARROW = rf"[-‐‑‒–—―−=~\s]*[>{_ARROWS}][>\s]*"
_LOOSE = re.compile(rf"\s*(?:\d+\s+)??{_LOOSE_CLOCK}{_ARROW}{_LOOSE_CLOCK}(?:[\s.,;:]+(.*))?")
_ARROWLESS = re.compile(rf"\s*{_LOOSE_CLOCK}[-‐‑‒–—―−=~,;|/\s]*{_LOOSE_CLOCK}\s*")
_HALF = re.compile(
    rf"\s*(?:{_LOOSE_CLOCK}\s*-+>.*|-+>\s*{_LOOSE_CLOCK}\s*|\S*\d:\S*\d\s*-+>\s*\S*\d:\S*\d\S*\s*)"
)
"""Times of which one is missing, or which hold other letters: nobody can tell what was meant."""
_LETTERS = str.maketrans("OolI", "0011")
_LONGEST = 200
"""No longer line is looked at closely: it is no line of times, and looking takes long."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The times of a cue; `rest` is what stands after them and is no setting."""

    start_ms: int
    end_ms: int
    rest: str = ""


def is_timing(line: str, *, webvtt: bool = False) -> bool:
    """Return whether players take the line for a cue's times, and for nothing more."""
    found = _SUBRIP.fullmatch(line)
    if found is None:
        return False
    if webvtt:
        return _WEBVTT.fullmatch(line) is not None
    return _SETTINGS.fullmatch(found[3] or "") is not None


def looks_like_times(line: str, before: str = "") -> bool:
    """Return whether the line is a cue's times, or was meant to be; `before` is the line before it.

    Without an arrow, the number of a cue must stand before it: a clock is also what people speak of.
    """
    if len(line) > _LONGEST:
        return _SUBRIP.fullmatch(line) is not None
    if not any(arrow in line for arrow in ">" + _ARROWS):
        return before.strip().isdecimal() and _ARROWLESS.fullmatch(line) is not None
    return any(form.fullmatch(line) for form in (_SUBRIP, _LOOSE, _HALF))


def read_timing(line: str) -> Timing | None:
    """Return the times of a line of `looks_like_times`; None if they cannot be read."""
    found = _SUBRIP.fullmatch(line) or _LOOSE.fullmatch(line) or _ARROWLESS.fullmatch(line)
    if found is None:
        return None
    start, end, rest = (*found.groups(), "")[:3]
    rest = (rest or "").strip()
    return Timing(
        start_ms=_clock_ms(start), end_ms=_clock_ms(end), rest="" if _SETTINGS.fullmatch(rest) else rest
    )


def _clock_ms(clock: str) -> int:
    """Return the time: of three numbers the last is a fraction if a point or a comma stands before it."""
    first, *others = re.split(r"([:;.,])", re.sub(r"[-−–\s]", "", clock).translate(_LETTERS))
    marks, numbers = others[::2], [first, *others[1::2]]
    has_fraction = len(numbers) == 4 or (len(numbers) == 3 and marks[-1] in ".,")
    fraction = numbers.pop() if has_fraction else "0"
    hours, minutes, seconds = (0, 0, 0, *map(int, numbers))[-3:]
    time_ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + int(fraction.ljust(3, "0")[:3])
    return -time_ms if clock.lstrip()[0] in "-−–" else time_ms
