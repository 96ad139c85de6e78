"""Reads what pysubs2 reads and this program does not: SAMI, MicroDVD, MPL2, TMP, SubViewer."""

from __future__ import annotations

import itertools
import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from protocol.errors import InputError
from protocol.subtitles.formats import FORMATS
from protocol.timeline import Cue
from workers.engines.common.names import shown

if TYPE_CHECKING:
    from pysubs2 import SSAFile

__all__ = ["OtherFile", "read_other"]

_TAGS = "{}\\"
"""What pysubs2 takes for SubStation markup in every format; SAMI has no such markup."""
_STAND_INS = "\ue100\ue101\ue102"
_FRAME_RATE = re.compile(r"\s*\{ *[01] *\}\{ *[01] *\}(\d+(?:\.\d+)?)[ \t]*\n")
"""MicroDVD's own line for the frame rate; pysubs2 writes it with 0 but reads it only with 1."""
_FRAMES = re.compile(r"\d\d(?:\D|$)")
"""What other formats have after the seconds: frames. pysubs2 takes them for the text of TMP."""


@dataclass(frozen=True, kw_only=True)
class OtherFile:
    """What pysubs2 found."""

    cues: tuple[Cue, ...]
    format: str
    resolution_ms: int
    frames_per_second: float | None


def read_other(
    path: Path, text: str, frames_per_second: float | None, wanted: str | None
) -> OtherFile | None:
    """Return what a file holds; None if it is none of these formats.

    `wanted` is the format that the file's name tells; it decides if the text could be of several. Raises
    `InputError` for a file that counts frames, if nobody says how many a second has.
    """
    import pysubs2

    try:
        with warnings.catch_warnings():
            # A style that pysubs2 cannot read does not matter to cues.
            warnings.simplefilter("ignore")
            subtitles = _parsed(text, frames_per_second, wanted)
    except pysubs2.exceptions.UnknownFPSError as error:
        message = f"{shown(path)} counts frames and does not say how many a second has."
        raise InputError(message, "Name its film: --film FILM") from error
    except pysubs2.exceptions.Pysubs2Error:
        return None
    name = str(subtitles.format)
    events = [event.plaintext for event in subtitles.events if event.is_text]
    if name == "tmp" and events and all(map(_FRAMES.match, events)):
        return None
    rate = float(subtitles.fps or frames_per_second or 0) if name == "microdvd" else 0.0
    return OtherFile(
        cues=tuple(_events(subtitles)),
        format=name,
        resolution_ms=math.ceil(1_000 / rate)
        if rate
        else FORMATS[name].resolution_ms
        if name in FORMATS
        else 1,
        frames_per_second=rate or None,
    )


def _parsed(text: str, frames_per_second: float | None, wanted: str | None) -> SSAFile:
    import pysubs2

    # SubViewer's line ends.
    text = text.replace("[br]", "\n")
    if text.lstrip().startswith("<"):
        text = text.translate(str.maketrans(_TAGS, _STAND_INS))
    read = pysubs2.SSAFile.from_string
    if rate := _FRAME_RATE.match(text):
        return read(text[rate.end() :], format_="microdvd", fps=float(rate[1]))
    try:
        return read(text, fps=frames_per_second)
    except pysubs2.exceptions.FormatAutodetectionError as error:
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
