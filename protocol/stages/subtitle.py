"""subtitle: cues from word times, written as files."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.schema import SPARSE
from protocol.subtitles.formats import WrittenFormat

__all__ = ["STAGE", "CueNumbers", "SubtitleRequest", "SubtitleResult"]


@dataclass(frozen=True, kw_only=True)
class CueNumbers:
    """Numbers of a profile that a person has set; None leaves the profile's. Meanings: `CueRules`."""

    max_line_graphemes: int | None = None
    max_lines: int | None = None
    max_cue_ms: int | None = None
    min_cue_ms: int | None = None
    min_gap_ms: int | None = None
    close_gap_ms: int | None = None
    max_graphemes_per_second: float | None = None
    min_word_ms: int | None = None
    linger_ms: int | None = None
    pause_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class SubtitleRequest(CueNumbers):
    """Cut `transcript` (a `Transcript` with words) into cues and write them."""

    transcript: Artefact
    title: str
    """Stem of the files' names: `<title>.<language>.srt`."""
    media_duration_ms: int
    """Length of the film: no cue starts or ends past it."""
    script: str = field(default="", metadata=SPARSE)
    """ISO 15924 (`Latn`): the transcript is written in it first. Empty: as it is."""
    cleaning: Artefact | None = None
    """`cleaning.json` of the transcript: what was removed stands in the quality report, too."""
    corrections: Artefact | None = None
    """`corrections.json` of the job folder: what a person changed takes the place of what is cut here."""
    offset_ms: int = 0
    """Added to every time (the clip's start)."""
    formats: tuple[WrittenFormat, ...] = ("srt", "vtt")
    karaoke: bool = False
    """In ASS, each word lights up when it is spoken."""
    profile: Literal["netflix", "bbc", "social", "relaxed", "sdh"] = "netflix"
    """What cues are held to: `netflix`, `bbc`, `social`, `relaxed`, `sdh`; a number that is set wins."""
    speaker_colours: bool = field(default=False, metadata=SPARSE)
    """In ASS, each speaker has a colour."""
    frames_per_second: float | None = None
    """The film's own, in which gaps are counted."""
    shot_changes_ms: tuple[int, ...] = ()
    """On the film's clock, whatever `offset_ms` is: cues keep clear of them where they can."""
    speaker_names: dict[str, str] = field(default_factory=dict, metadata=SPARSE)
    """The id of a `Speaker` to what a person calls it."""


@dataclass(frozen=True, kw_only=True)
class SubtitleResult:
    """`files` in the order of the formats asked for. `cue_count` 0: nothing was said in the film."""

    files: tuple[Artefact, ...]
    language: str
    cue_count: int
    first_cues: tuple[str, ...]
    """The first three as one line each, `00:00:03.000 --> 00:00:05.120  text`."""
    report: Artefact | None = None
    """`<title>.<language>.qc.json`: each rule, the cues that break it, and why that could not be helped."""
    quality: str = ""
    """The same in a line; empty where every rule is kept."""
    notes: tuple[str, ...] = ()
    """What a person must know: corrections that do not fit any more."""


STAGE = Stage(
    name="subtitle",
    folder="11_subtitle",
    version=2,
    request=SubtitleRequest,
    result=SubtitleResult,
    budget_ms=120_000,
    budget_per_media=0.1,
    weight=1,
    cores=1,
    shown=True,
    # A person who set these would only move cues to the wrong place; the script is that of the target.
    filled=frozenset({"offset_ms", "script", "shot_changes_ms", "speaker_names"}),
)
