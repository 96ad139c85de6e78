"""Reads SubRip and WebVTT: what stands between two lines of times is a cue. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.subtitles.quality import BrokenLine
from protocol.timeline import Cue
from workers.engines.common.formats.reading.markup import (
    has_lost_text,
    voices_of,
    without_srt_markup,
    without_vtt_markup,
)
from workers.engines.common.formats.reading.times import is_timing, looks_like_times, read_timing

__all__ = ["TimedLines", "has_times", "read_srt", "read_vtt", "trimmed"]

_HEAD = "WEBVTT"


@dataclass(frozen=True, kw_only=True)
class TimedLines:
    """The cues, and the lines that are not as the format wants them."""

    cues: tuple[Cue, ...]
    broken: tuple[BrokenLine, ...] = ()
    text_lines: tuple[int, ...] = ()
    """The line, counted from 1, in which the text of each cue begins; empty: the format has no lines."""


@dataclass(frozen=True, kw_only=True)
class _TimedBlock:
    """A line of times and what stands under it; `place` is where the times stand, from 0."""

    place: int
    timing: str
    body: tuple[str, ...]


def has_times(text: str) -> bool:
    """Return whether a line of the text is, or was meant to be, a cue's times with an arrow."""
    return any(map(looks_like_times, text.split("\n")))


def read_srt(text: str) -> TimedLines:
    """Read SubRip: a cue is the text between two lines of times, without the next cue's number."""
    return _read(_srt_blocks(text.split("\n")), webvtt=False)


def read_vtt(text: str) -> TimedLines:
    """Read WebVTT (W3C, 6.1): a line of times and the text up to a blank line, without notes and names."""
    return _read(_vtt_blocks(text.split("\n")), webvtt=True)


def _srt_blocks(lines: Sequence[str]) -> Iterator[_TimedBlock]:
    befores = ["", *lines]
    places = [place for place, line in enumerate(lines) if looks_like_times(line, befores[place])]
    for place, following in zip(places, [*places[1:], len(lines)], strict=True):
        body = list(lines[place + 1 : following])
        if following < len(lines) and body and body[-1].strip().isdecimal():
            body.pop()
        yield _TimedBlock(place=place, timing=lines[place], body=tuple(body))


def _vtt_blocks(lines: Sequence[str]) -> Iterator[_TimedBlock]:
    timing, first, body = "", 0, list[str]()
    for place, line in enumerate([*lines, ""]):
        is_times = looks_like_times(line)
        # The head of a second file: two were joined.
        if is_times or not line or line.split(" ")[0] == _HEAD:
            if timing:
                yield _TimedBlock(place=first, timing=timing, body=tuple(body))
            timing, first, body = line if is_times else "", place, []
        else:
            body.append(line)


def _read(blocks: Iterator[_TimedBlock], *, webvtt: bool) -> TimedLines:
    cues: list[Cue] = []
    broken: list[BrokenLine] = []
    text_lines: list[int] = []
    for block in blocks:
        timing = read_timing(block.timing)
        if timing is None or not is_timing(block.timing, webvtt=webvtt):
            broken.append(_broken_times(block, read=timing is not None))
        if timing is None:
            continue
        text = "\n".join(block.body)
        if webvtt and has_lost_text(text):
            broken.append(_lost_text(block))
        bare = without_vtt_markup(text) if webvtt else without_srt_markup(text)
        lines = trimmed([*([timing.rest] if timing.rest and not webvtt else []), *bare.split("\n")])
        text_lines.append(block.place + (1 if timing.rest and not webvtt else 2))
        speakers = _speakers(text, bare) if webvtt else ()
        cues.append(Cue(start_ms=timing.start_ms, end_ms=timing.end_ms, lines=lines, speakers=speakers))
    return TimedLines(cues=tuple(cues), broken=tuple(broken), text_lines=tuple(text_lines))


def _speakers(text: str, bare: str) -> tuple[str, ...]:
    """Return the name of each line's speaker, of the lines that have text at their ends; empty: nobody's."""
    lines, voices = bare.split("\n"), voices_of(text)
    full = [place for place, line in enumerate(lines) if line.strip()]
    if not any(voices) or len(lines) != len(voices) or not full:
        return ()
    return voices[full[0] : full[-1] + 1]


def _broken_times(block: _TimedBlock, *, read: bool) -> BrokenLine:
    message = "times that are not as the format wants them" if read else "times that cannot be read"
    return BrokenLine(line=block.place + 1, kind="times", message=message, text=block.timing)


def _lost_text(block: _TimedBlock) -> BrokenLine:
    at = next((at for at, line in enumerate(block.body) if has_lost_text(line)), 0)
    return BrokenLine(
        line=block.place + at + 2,
        kind="markup",
        message="a < that is not written as &lt;, so that players drop the text after it",
        text=block.body[at],
    )


def trimmed(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines without the blank ones before and after them."""
    full = [place for place, line in enumerate(lines) if line.strip()]
    return tuple(lines[full[0] : full[-1] + 1]) if full else ()
