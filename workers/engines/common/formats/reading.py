"""Reads any subtitle file as cues: without markup, everything else as it is in the file.

SubRip and WebVTT, the formats of nearly all files, are read here: pysubs2 strips the spaces that quality
control looks for, and reads WebVTT's names and notes as text. pysubs2 reads the other formats.
"""

from __future__ import annotations

import html
import itertools
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from protocol.errors import InputError, UsageError
from protocol.languages import find_language
from protocol.subtitles.formats import FORMATS
from protocol.timeline import UNDETERMINED, Cue
from workers.engines.common.formats.encodings import decode
from workers.engines.common.formats.ttml_times import plain_times
from workers.engines.common.names import shown

if TYPE_CHECKING:
    from pysubs2 import SSAFile

__all__ = ["SubtitleFile", "language_in_name", "read_cues", "read_subtitles"]

_MOST_BYTES = 64 * 2**20
_READABLE = [row for row in FORMATS.values() if row.readable]
_TITLES = list(dict.fromkeys(row.title for row in _READABLE))
_REMEDY = f"Give an {', '.join(_TITLES[:-1])} or {_TITLES[-1]} file."
_FLAGS = frozenset({"forced", "sdh", "cc", "hi", "default", "full"})
"""Words that follow the language in file names. `hi` still means Hindi if no other part is a language."""
_SUFFIXES = {row.suffix: row.name for row in _READABLE if row.suffix}
_CLOCK = r"(-?)(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")
_SRT_MARKUP = re.compile(r"</? *[a-zA-Z][^>]*>|\{\\[^}]*\}")
_VTT_MARKUP = re.compile(r"<[^>]*>")
_TAGS = "{}\\"
"""What pysubs2 takes for SubStation markup in every format; TTML and SAMI have no such markup."""
_STAND_INS = "\ue100\ue101\ue102"
_SORTED = frozenset({"ass", "ssa"})
"""Formats in which the order of lines means nothing."""
_FRAME_RATE = re.compile(r"\s*\{ *[01] *\}\{ *[01] *\}(\d+(?:\.\d+)?)[ \t]*\n")
"""MicroDVD's own line for the frame rate; pysubs2 writes it with 0 but reads it only with 1."""


@dataclass(frozen=True, kw_only=True)
class SubtitleFile:
    """What a subtitle file holds; the format's rounding may move two times apart by `resolution_ms`."""

    cues: tuple[Cue, ...]
    format: str
    encoding: str
    resolution_ms: int = 1


def read_cues(path: Path, *, frames_per_second: float | None = None, language: str = "") -> tuple[Cue, ...]:
    """Return the cues of a subtitle file in the file's order; see `read_subtitles`."""
    return read_subtitles(path, frames_per_second=frames_per_second, language=language).cues


def read_subtitles(path: Path, *, frames_per_second: float | None = None, language: str = "") -> SubtitleFile:
    """Read a subtitle file of any format and encoding.

    `frames_per_second` is for MicroDVD, which counts frames; `language` (ISO 639-1) tells encodings apart.
    Raises `InputError` if the file cannot be read, is not text, or is not a subtitle file.
    """
    data = _bytes(path)
    decoded = decode(data, language)
    if decoded is None:
        message = f"{shown(path)} is not a text file."
        raise InputError(message, _REMEDY)
    text, encoding = decoded
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip() and path.suffix.casefold() in _SUFFIXES:
        # Nobody speaks in this film: SubRip has no header, so a file without cues is empty.
        return SubtitleFile(cues=(), format=_SUFFIXES[path.suffix.casefold()], encoding=encoding)
    if text.lstrip().startswith("WEBVTT"):
        return SubtitleFile(cues=tuple(_vtt(text)), format="vtt", encoding=encoding)
    if any(map(_TIMING.fullmatch, text.split("\n"))) and "[Events]" not in text:
        return SubtitleFile(cues=tuple(_srt(text)), format="srt", encoding=encoding)
    return _by_pysubs2(path, text, encoding, frames_per_second)


def language_in_name(path: Path) -> str:
    """Return the language in a file's name, such as `Film.en.forced.srt`; `und` if it has none."""
    found = ""
    for part in reversed(path.stem.split(".")[1:]):
        try:
            code = find_language(part.partition("-")[0]).code
        except UsageError:
            code = ""
        if part.casefold() not in _FLAGS:
            return code or found or UNDETERMINED
        found = found or code
    return found or UNDETERMINED


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            problem = "is a folder, not a subtitle file"
        elif not path.exists():
            problem = "is not there"
        elif path.stat().st_size > _MOST_BYTES:
            problem = f"is not a subtitle file: it has {path.stat().st_size // 10**6} MB"
        else:
            return path.read_bytes()
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
    message = f"{shown(path)} {problem}."
    raise InputError(message, _REMEDY)


def _srt(text: str) -> list[Cue]:
    """Read SubRip: a cue is the text between two lines of times, without the next cue's number."""
    lines = text.split("\n")
    places = [place for place, line in enumerate(lines) if _TIMING.fullmatch(line)]
    cues = []
    for place, following in zip(places, [*places[1:], len(lines)], strict=True):
        body = lines[place + 1 : following]
        if following < len(lines) and body and body[-1].strip().isdecimal():
            body.pop()
        cues.append(_cue(lines[place], [_SRT_MARKUP.sub("", body_line) for body_line in body]))
    return cues


def _vtt(text: str) -> list[Cue]:
    """Read WebVTT (W3C, 6.1): a line of times and the text up to a blank line, without notes and names."""
    cues: list[Cue] = []
    timing, body = "", list[str]()
    for line in [*text.split("\n"), ""]:
        if (is_timing := _TIMING.fullmatch(line) is not None) or not line:
            if timing:
                cues.append(
                    _cue(timing, [html.unescape(_VTT_MARKUP.sub("", body_line)) for body_line in body])
                )
            timing, body = line if is_timing else "", []
        else:
            body.append(line)
    return cues


def _cue(timing: str, body: list[str]) -> Cue:
    found = _TIMING.fullmatch(timing)
    groups = found.groups() if found else ()
    lines = list(body)
    while lines and not lines[-1].strip():
        lines.pop()
    while lines and not lines[0].strip():
        lines.pop(0)
    return Cue(start_ms=_clock_ms(groups[:5]), end_ms=_clock_ms(groups[5:]), lines=tuple(lines))


def _clock_ms(groups: tuple[str | None, ...]) -> int:
    sign, hours, minutes, seconds, fraction = groups
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    time_ms = whole * 1_000 + int((fraction or "0").ljust(3, "0"))
    return -time_ms if sign else time_ms


def _by_pysubs2(path: Path, text: str, encoding: str, frames_per_second: float | None) -> SubtitleFile:
    import pysubs2

    try:
        with warnings.catch_warnings():
            # A style that pysubs2 cannot read does not matter to cues.
            warnings.simplefilter("ignore")
            subtitles = _parsed(path, text, frames_per_second)
    except pysubs2.exceptions.UnknownFPSError as error:
        message = f"{shown(path)} counts frames and does not say how many a second has."
        raise InputError(message, "Name its film: --film FILM") from error
    except (pysubs2.exceptions.Pysubs2Error, ParseError) as error:
        message = f"{shown(path)} is not a subtitle file."
        raise InputError(message, _REMEDY) from error
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        message = f"{shown(path)} is not as its format wants it: {error}."
        raise InputError(message, "Write the file anew, or give another.") from error
    name = str(subtitles.format)
    resolution = FORMATS[name].resolution_ms if name in FORMATS else 1
    if name == "microdvd":
        resolution = math.ceil(1_000 / float(subtitles.fps or frames_per_second or 1))
    return SubtitleFile(
        cues=tuple(_events(subtitles)), format=name, encoding=encoding, resolution_ms=resolution
    )


def _parsed(path: Path, text: str, frames_per_second: float | None) -> SSAFile:
    import pysubs2

    if "<!ENTITY" in text:
        # The text that an entity stands for can fill the memory.
        message = "it declares entities"
        raise ValueError(message)
    # SubViewer's line ends; TTML's times in frames and ticks.
    text = plain_times(text.replace("[br]", "\n"))
    if text.lstrip().startswith("<"):
        text = text.translate(str.maketrans(_TAGS, _STAND_INS))
    read = pysubs2.SSAFile.from_string
    if rate := _FRAME_RATE.match(text):
        return read(text[rate.end() :], format_="microdvd", fps=float(rate[1]))
    if "[Events]" in text:
        return read(text, format_="ssa" if "[V4 Styles]" in text else "ass")
    try:
        return read(text, fps=frames_per_second)
    except pysubs2.exceptions.FormatAutodetectionError as error:
        wanted = _SUFFIXES.get(path.suffix.casefold())
        if wanted not in error.formats:
            raise
        return read(text, format_=wanted)


def _events(subtitles: SSAFile) -> list[Cue]:
    events = [event for event in subtitles.events if event.is_text]
    if subtitles.format == "sami":
        # SAMI has no out-times: a line stays until the next, which may be blank.
        for event, following in itertools.pairwise(events):
            event.end = following.start
        events = [event for event in events if event.plaintext.strip()]
    if subtitles.format in _SORTED:
        events.sort(key=lambda event: event.start)
    return [
        Cue(
            start_ms=event.start,
            end_ms=event.end,
            lines=_text_lines(event.plaintext) if event.plaintext.strip() else (),
        )
        for event in events
    ]


def _text_lines(text: str) -> tuple[str, ...]:
    return tuple(text.translate(str.maketrans(_STAND_INS, _TAGS)).split("\n"))
