"""Cues as SubRip and WebVTT, byte for byte. Pure.

Not pysubs2's writers: its events hold SubStation text, so that a spoken `\\N` or `\\h` becomes a line end
or a space, and its WebVTT escapes neither `&` nor `<`. It is what the tests read these files with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocol.timeline import Cue

__all__ = ["clock_time", "to_srt", "to_vtt"]


def clock_time(milliseconds: int, point: str = ".") -> str:
    """Return `00:00:03.000`; more than 99 hours take more digits."""
    seconds, thousandths = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{thousandths:03d}"


def to_srt(cues: Sequence[Cue]) -> str:
    """Return the cues as SubRip: numbered from 1, comma times, a blank line after each. No cue: empty."""
    return "".join(f"{number}\n{_body(cue, ',', str)}" for number, cue in enumerate(cues, 1))


def to_vtt(cues: Sequence[Cue]) -> str:
    """Return the cues as WebVTT (W3C); `&`, `<` and `>` are escaped, as the text is no markup."""
    return "WEBVTT\n\n" + "".join(_body(cue, ".", _escape) for cue in cues)


def _body(cue: Cue, point: str, write: Callable[[str], str]) -> str:
    times = f"{clock_time(cue.start_ms, point)} --> {clock_time(cue.end_ms, point)}"
    return "\n".join((times, *map(write, cue.lines), "", ""))


def _escape(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
