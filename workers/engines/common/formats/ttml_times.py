"""Turns TTML's times in frames and ticks into seconds, which is all that pysubs2 reads. Pure."""

from __future__ import annotations

import re

__all__ = ["plain_times"]

_NAMESPACE = "http://www.w3.org/ns/ttml"
_OLD_NAMESPACES = re.compile(r"http://www\.w3\.org/20\d\d/(?:04|10)/ttaf1")
_TIME = re.compile(r"\b(begin|end|dur)(\s*=\s*)([\"'])\s*([^\"']*?)\s*\3")
_FRAMES = re.compile(r"(\d+):(\d\d):(\d\d):(\d+(?:\.\d+)?)")
_COUNT = re.compile(r"(\d+(?:\.\d+)?)([ft])")
_DEFAULT_RATE = 30.0
"""The rate if `ttp:frameRate` is missing (TTML 2, 7.2.6)."""


def plain_times(text: str) -> str:
    """Return a TTML document with every time in a form that pysubs2 knows; leave other text as it is.

    Times are `00:00:01:12` (frames), `36f`, `90000t` (TTML 2, 10.3.1); `dur` gets the name that pysubs2
    reads.
    """
    text = _OLD_NAMESPACES.sub(_NAMESPACE, text)
    if _NAMESPACE not in text:
        return text
    frame_rate = _number(text, "frameRate") or _DEFAULT_RATE
    multiplier = re.search(r"\bttp:frameRateMultiplier\s*=\s*[\"'](\d+)[ :](\d+)", text)
    if multiplier and int(multiplier[2]):
        frame_rate = frame_rate * int(multiplier[1]) / int(multiplier[2])
    tick_rate = _number(text, "tickRate") or frame_rate

    def plain(found: re.Match[str]) -> str:
        name = "duration" if found[1] == "dur" else found[1]
        return f'{name}{found[2]}"{_seconds(found[4], frame_rate, tick_rate)}"'

    return _TIME.sub(plain, text)


def _number(text: str, name: str) -> float | None:
    found = re.search(rf"\bttp:{name}\s*=\s*[\"'](\d+(?:\.\d+)?)[\"']", text)
    return float(found[1]) if found and float(found[1]) > 0 else None


def _seconds(time: str, frame_rate: float, tick_rate: float) -> str:
    if found := _FRAMES.fullmatch(time):
        hours, minutes, seconds = (int(group) for group in found.groups()[:3])
        return f"{(hours * 60 + minutes) * 60 + seconds + float(found[4]) / frame_rate:.6f}s"
    if found := _COUNT.fullmatch(time):
        return f"{float(found[1]) / (frame_rate if found[2] == 'f' else tick_rate):.6f}s"
    return time
