"""Reads any subtitle file as cues: without markup, everything else as it is in the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import ParseError

from protocol.errors import InputError
from protocol.subtitles.formats import FORMATS
from protocol.subtitles.quality import BrokenLine
from protocol.timeline import Cue
from workers.engines.common.formats.reading.encodings import LOST, decode
from workers.engines.common.formats.reading.other import read_other
from workers.engines.common.formats.reading.substation import is_substation, read_substation
from workers.engines.common.formats.reading.timed_text import is_timed_text, read_timed_text
from workers.engines.common.formats.reading.timings import TimedLines, has_times, read_srt, read_vtt
from workers.engines.common.names import shown

__all__ = ["SubtitleFile", "read_cues", "read_subtitles"]

_MOST_BYTES = 64 * 2**20
_READABLE = [row for row in FORMATS.values() if row.readable]
_TITLES = list(dict.fromkeys(row.title for row in _READABLE))
_REMEDY = f"Give an {', '.join(_TITLES[:-1])} or {_TITLES[-1]} file."
_SUFFIXES = {row.suffix: row.name for row in _READABLE if row.suffix}
_MARK = "\ufeff"
_HEAD_AFTER_MARK = re.compile(rf"(?<!\n){_MARK}(?=\s*\d+[ \t]*\n)|{_MARK}(?=WEBVTT|\[Script Info)")
_CAPTIONS = "Scenarist_SCC"


@dataclass(frozen=True, kw_only=True)
class SubtitleFile:
    """What a subtitle file holds; the format's rounding may move two times apart by `resolution_ms`."""

    cues: tuple[Cue, ...]
    format: str
    encoding: str
    resolution_ms: int = 1
    frames_per_second: float | None = None
    """What the file itself says; None: nothing."""
    broken: tuple[BrokenLine, ...] = ()
    """Lines that are not as the format wants them."""
    text_lines: tuple[int, ...] = ()
    """The line, counted from 1, in which the text of each cue begins; empty: the format does not tell."""


def read_cues(path: Path, *, frames_per_second: float | None = None, language: str = "") -> tuple[Cue, ...]:
    """Return the cues of a subtitle file in the file's order; see `read_subtitles`."""
    return read_subtitles(path, frames_per_second=frames_per_second, language=language).cues


def read_subtitles(path: Path, *, frames_per_second: float | None = None, language: str = "") -> SubtitleFile:
    """Read a subtitle file of any format and encoding.

    `frames_per_second` is for MicroDVD, which counts frames; `language` (ISO 639-1) tells encodings apart.
    Raises `InputError` if the file cannot be read, is not text, or is not a subtitle file.
    """
    decoded = decode(_bytes(path), language)
    if decoded is None:
        message = f"{shown(path)} is not a text file."
        raise InputError(message, _REMEDY)
    text, encoding = _joined(decoded[0]), decoded[1]
    if not text.strip() and path.suffix.casefold() in _SUFFIXES:
        # Nobody speaks in this film: SubRip has no header, so a file without cues is empty.
        return SubtitleFile(cues=(), format=_SUFFIXES[path.suffix.casefold()], encoding=encoding)
    try:
        return _read(path, text, encoding, frames_per_second)
    except ParseError as error:
        message = f"{shown(path)} is not a subtitle file."
        raise InputError(message, _REMEDY) from error
    except (ValueError, KeyError, TypeError, NotImplementedError) as error:
        message = f"{shown(path)} is not as its format wants it: {error}."
        raise InputError(message, "Write the file anew, or give another.") from error


def _read(path: Path, text: str, encoding: str, frames_per_second: float | None) -> SubtitleFile:
    head = text.lstrip()
    if "<!ENTITY" in text:
        # The text that an entity stands for can fill the memory.
        message = "it declares entities"
        raise ValueError(message)
    if head.startswith(_CAPTIONS):
        message = f"{shown(path)} holds closed captions as a decoder's codes (Scenarist SCC), not as text."
        raise InputError(message, f"Convert it first: ffmpeg -i {shown(path)} captions.srt")
    if is_substation(text):
        form = "ssa" if "[v4 styles]" in text.casefold() else "ass"
        return _timed(form, text, encoding, read_substation(text))
    if head.startswith("WEBVTT"):
        return _timed("vtt", text, encoding, read_vtt(text))
    if is_timed_text(text):
        timed = read_timed_text(text)
        found = _timed("ttml", text, encoding, TimedLines(cues=timed.cues))
        return SubtitleFile(**{**vars(found), "frames_per_second": timed.frames_per_second})
    if has_times(text):
        return _timed("srt", text, encoding, read_srt(text))
    other = read_other(path, text, frames_per_second, _SUFFIXES.get(path.suffix.casefold()))
    if other is None:
        message = f"{shown(path)} is not a subtitle file."
        raise InputError(message, _REMEDY)
    return SubtitleFile(
        cues=other.cues,
        format=other.format,
        encoding=encoding,
        resolution_ms=other.resolution_ms,
        frames_per_second=other.frames_per_second,
        broken=_lost(text),
    )


def _timed(form: str, text: str, encoding: str, timed: TimedLines) -> SubtitleFile:
    broken = sorted((*timed.broken, *_lost(text)), key=lambda line: line.line)
    return SubtitleFile(
        cues=timed.cues,
        format=form,
        encoding=encoding,
        resolution_ms=FORMATS[form].resolution_ms,
        broken=tuple(broken),
        text_lines=timed.text_lines,
    )


def _joined(text: str) -> str:
    """Return the text with plain line ends and without byte order marks.

    A mark inside is where the second of two files begins that were joined.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip(_MARK)
    return _HEAD_AFTER_MARK.sub("\n", text).replace(_MARK, "")


def _lost(text: str) -> tuple[BrokenLine, ...]:
    """Find the lines with a character that nobody can read any more."""
    message = f"a character that is lost, shown as {LOST}"
    return tuple(
        BrokenLine(line=place, kind="lost_character", message=message, text=line)
        for place, line in enumerate(text.split("\n"), 1)
        if LOST in line
    )


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
