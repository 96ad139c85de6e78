"""What a format is written from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from protocol.timeline import Cue, Transcript
from workers.engines.common.cues.rules import CueRules

__all__ = ["Writable"]


class Writable(Protocol):
    """What the formats need of a track; times are on the film's clock."""

    @property
    def transcript(self) -> Transcript:
        """The text with its words; its language is the file's."""

    @property
    def cues(self) -> tuple[Cue, ...]:
        """What is shown, in the order of time."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The language of each cue: in a film in several, a cue may be in another one than the file."""

    @property
    def rules(self) -> CueRules:
        """The rules that the cues were cut by."""

    @property
    def profile(self) -> str:
        """The name of these rules."""

    @property
    def karaoke(self) -> bool:
        """Whether words light up when they are spoken, if the format can do that."""

    @property
    def speaker_colours(self) -> bool:
        """Whether each speaker has a colour, if the format can do that."""

    def spoken_sentences(self) -> tuple[tuple[str, str], ...]:
        """Return the text as sentences, each by the rules of its language, behind its speaker's id."""

    @property
    def made_by(self) -> Mapping[str, Any]:
        """Which engine and model made the text, and from what, as plain values."""
