"""Profiles: named sets of numbers that cues must keep; a person can override any of them. Pure.

The numbers and where they come from: docs/timed-text.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.errors import UsageError
from protocol.languages import IN_TWO_SCRIPTS, read_tag
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.cues.widths import WIDE

__all__ = ["PROFILES", "Profile", "rules_for"]

_FILM_RATE = 24.0
"""Frames a second if the film's own rate is not known."""
_MOST = {"max_line_graphemes": 1_000, "max_lines": 10}
"""Upper limits: work and memory grow with these two numbers, and nobody reads more."""
_WIDE_SPEEDS = {"ja": 4.0, "zh": 9.0, "yue": 9.0, "ko": 12.0}
"""Of Netflix's guides for these languages; the other publishers have none of their own."""
_ALIKE = {"Latn": "en", "Deva": "hi", "Arab": "ur"}
"""The language whose reading speed counts for a script."""
_NETFLIX_SPEEDS = {"en": 20.0, "hi": 22.0, **_WIDE_SPEEDS}
_CLOSE = ("-", "-")
_APART = ("- ", "- ")
_SECOND = ("", "-")
_SECOND_APART = ("", "- ")
_SPACED = ("ar", "cs", "es", "fr", "hu", "id", "it", "ko", "ms", "pl", "pt", "ro", "ru", "sk", "th", "vi")
_NETFLIX_HYPHENS = {
    **dict.fromkeys(_SPACED, _APART),
    **dict.fromkeys(("fi", "he", "nl", "sr"), _SECOND),
    "bg": _SECOND_APART,
}
"""How two speakers share a cue: "Dual Speakers" in Netflix's guide for each language, as Subtitle Edit
(`NetflixQualityController.SpeakerStyle`) has them. The other guides want `_CLOSE`."""
_DASHES = ("\N{EN DASH} ", "\N{EN DASH} ")
"""BBC Subtitle Guidelines 7.3, for where colours cannot be used: "a white dash (not a hyphen)"."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What a publisher asks of cues; lengths in graphemes, speeds in graphemes a second."""

    max_line_graphemes: int = 42
    max_wide_graphemes: int = 16
    """The same for languages with wide characters."""
    max_lines: int = 2
    min_cue_ms: int = 833
    max_cue_ms: int = 7_000
    speeds: Mapping[str, float] = field(default_factory=lambda: _WIDE_SPEEDS)
    speed: float = 17.0
    """For a language that `speeds` does not name."""
    gap_frames: int = 2
    close_gap_frames: int = 11
    """A gap of up to this many frames is closed to `gap_frames`."""
    gap_ms: int | None = None
    """If set, it is used instead of `gap_frames`."""
    close_gap_ms: int | None = None
    min_word_ms: int = 0
    hyphens: Mapping[str, tuple[str, str]] = field(default_factory=lambda: _NETFLIX_HYPHENS)
    """What the first and the second line of two speakers begin with, by language."""
    hyphen: tuple[str, str] = _CLOSE
    """For a language that `hyphens` does not name."""
    names_speakers: bool = False
    """Whether a name is written where its speaker begins to speak: for people who cannot hear the voices."""


PROFILES: dict[str, Profile] = {
    "netflix": Profile(speeds=_NETFLIX_SPEEDS),
    # A gap of a second or none; at least 0.3 s a word. The BBC's speed of 160 to 180 words a minute is about
    # 18 graphemes a second in English.
    "bbc": Profile(
        max_line_graphemes=37,
        speed=18.0,
        gap_ms=0,
        close_gap_ms=1_000,
        min_word_ms=300,
        hyphens={},
        hyphen=_DASHES,
    ),
    "social": Profile(
        max_line_graphemes=32, max_lines=1, min_cue_ms=1_000, max_cue_ms=3_000, speeds=_NETFLIX_SPEEDS
    ),
    "relaxed": Profile(
        max_line_graphemes=43, min_cue_ms=1_000, max_cue_ms=8_000, speed=25.0, gap_ms=24, close_gap_ms=24
    ),
    # Subtitles for the deaf and hard of hearing: Netflix writes "[Name]" before what somebody says.
    "sdh": Profile(speeds=_NETFLIX_SPEEDS, names_speakers=True),
}


def rules_for(
    profile: str,
    language: str,
    *,
    frames_per_second: float | None = None,
    media_duration_ms: int = 0,
    names: Mapping[str, str] | None = None,
    **overrides: float | None,
) -> CueRules:
    """Return the rules of a profile for a language and a film.

    `names` are what the speakers are called, by their ids, for a profile that writes them. `overrides` are
    fields of `CueRules` that a person has set; None keeps the profile's. Raises `UsageError` for an unknown
    profile or an impossible number.
    """
    if profile not in PROFILES:
        message = f"There is no profile {profile!r}."
        raise UsageError(message, f"Write {', '.join(PROFILES)}.")
    asked = PROFILES[profile]
    frame_ms = 1_000 / (frames_per_second or _FILM_RATE)
    gap_ms = round(asked.gap_frames * frame_ms) if asked.gap_ms is None else asked.gap_ms
    close_ms = round(asked.close_gap_frames * frame_ms) if asked.close_gap_ms is None else asked.close_gap_ms
    numbers: dict[str, float] = {
        "max_line_graphemes": asked.max_wide_graphemes if language in WIDE else asked.max_line_graphemes,
        "max_lines": asked.max_lines,
        "min_cue_ms": asked.min_cue_ms,
        "max_cue_ms": asked.max_cue_ms,
        "min_gap_ms": gap_ms,
        "close_gap_ms": close_ms,
        "max_graphemes_per_second": _speed(asked, language),
        "min_word_ms": asked.min_word_ms,
    }
    numbers |= {name: value for name, value in overrides.items() if value is not None}
    _refuse_impossible(numbers)
    return CueRules(
        language=language,
        media_duration_ms=max(0, media_duration_ms),
        hyphens=asked.hyphens.get(read_tag(language).language, asked.hyphen),
        names=tuple((names or {}).items()) if asked.names_speakers else (),
        **numbers,  # type: ignore[arg-type]  # (fields by name)
    )


def _speed(asked: Profile, language: str) -> float:
    """Return the reading speed: by the script where a language of India is written in another than its own.

    One sign of Devanagari is two or three Latin letters: Hindi in these is read as English is.
    """
    tag = read_tag(language)
    alike = _ALIKE.get(tag.script, tag.language) if tag.language not in IN_TWO_SCRIPTS else tag.language
    return asked.speeds.get(alike, asked.speed)


def _refuse_impossible(numbers: Mapping[str, float]) -> None:
    for name, value in numbers.items():
        least = 0 if name in ("min_gap_ms", "close_gap_ms", "min_word_ms", "linger_ms", "pause_ms") else 1
        if value < least:
            message = f"subtitle.{name} is {value:g}, but must be {least} or more."
            raise UsageError(message, "Correct the parameter.")
        if (most := _MOST.get(name)) is not None and value > most:
            message = f"subtitle.{name} is {value:g}, but must be {most} or less."
            raise UsageError(message, "Correct the parameter.")
    if numbers["min_cue_ms"] > numbers["max_cue_ms"]:
        message = f"No cue can last {numbers['min_cue_ms']} ms at least and {numbers['max_cue_ms']} at most."
        raise UsageError(message, "Correct subtitle.min_cue_ms or subtitle.max_cue_ms.")
