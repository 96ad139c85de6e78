"""Reads SubStation Alpha and its successor: the events, in the order of fields that the file itself tells.

Styles do not matter to cues. `Format:` names the fields; only without it they have their usual order (libass,
ass.c). Text may hold commas, so it is what the last field takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from protocol.subtitles.quality import BrokenLine
from protocol.timeline import Cue
from workers.engines.common.formats.reading.timings import TimedLines

__all__ = ["is_substation", "read_substation"]

_EVENTS = re.compile(r"^\s*\[events\]", re.IGNORECASE | re.MULTILINE)
_SECTION = re.compile(r"\s*\[([^\]]*[a-z][^\]]*)\]\s*", re.IGNORECASE)
_KEY = re.compile(r"\s*(format|dialogue)\s*:\s?(.*)", re.IGNORECASE)
_USUAL = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_CLOCK = re.compile(r"\s*(-?)(\d+)\s*:\s*(\d{1,2})\s*:\s*(\d{1,2})(?:\s*[.,:]\s*(\d{1,3}))?\s*")


def is_substation(text: str) -> bool:
    """Return whether the text has a section of events."""
    return _EVENTS.search(text) is not None


def read_substation(text: str) -> TimedLines:
    """Return the cues, earliest first, as the order of events means nothing; comments and drawings are none.

    Raises `ValueError` if the fields that make a cue are not named, or no event has times that can be read.
    """
    cues: list[Cue] = []
    broken: list[BrokenLine] = []
    fields: Sequence[str] = _USUAL
    inside = False
    for place, line in enumerate(text.split("\n"), 1):
        if section := _SECTION.fullmatch(line):
            inside = section[1].strip().casefold() == "events"
        elif inside and (key := _KEY.match(line)):
            if key[1].casefold() == "format":
                fields = _fields(key[2])
                continue
            event = dict(zip(fields, key[2].split(",", len(fields) - 1), strict=False))
            times = _clock_ms(event.get("start", "")), _clock_ms(event.get("end", ""))
            if times[0] is None or times[1] is None:
                message = "times that cannot be read"
                broken.append(BrokenLine(line=place, kind="times", message=message, text=line))
            elif (lines := _lines(event.get("text", ""))) is not None:
                cues.append(Cue(start_ms=times[0], end_ms=times[1], lines=lines))
    if broken and not cues:
        raise ValueError(f"line {broken[0].line} has {broken[0].message}")
    return TimedLines(cues=tuple(sorted(cues, key=lambda cue: cue.start_ms)), broken=tuple(broken))


def _fields(names: str) -> tuple[str, ...]:
    fields = tuple(name.strip().casefold() for name in names.split(","))
    missing = [name for name in ("start", "end", "text") if name not in fields]
    if missing:
        raise ValueError(f"its Format line does not name {missing[0].title()}")
    return fields


def _clock_ms(clock: str) -> int | None:
    found = _CLOCK.fullmatch(clock)
    if found is None:
        return None
    hours, minutes, seconds = (int(number) for number in found.groups()[1:4])
    time_ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + int((found[5] or "0").ljust(3, "0"))
    return -time_ms if found[1] else time_ms


def _lines(text: str) -> tuple[str, ...] | None:
    """Return the lines of an event without its markup; None for a drawing."""
    from pysubs2 import SSAEvent

    event = SSAEvent(text=text)
    if not event.is_text:
        return None
    return tuple(event.plaintext.split("\n")) if event.plaintext.strip() else ()
