"""Words, segments, cues and transcripts on the film's clock, in whole milliseconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.schema import SPARSE

__all__ = [
    "HEARD_AGAIN",
    "OTHER_SCRIPT",
    "UNDETERMINED",
    "Cue",
    "Segment",
    "Span",
    "Speaker",
    "Transcript",
    "Turn",
    "Word",
]

UNDETERMINED = "und"
"""ISO 639-2 code for a language that could not be determined (a film without speech)."""
HEARD_AGAIN = "heard-again"
"""The mark of a segment that only a second hearing found, in speech that the first left without a word."""
OTHER_SCRIPT = "other-script"
"""The mark of a segment of Hindi that was heard in Urdu's script, or the other way round: a guess."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A stretch of speech on the audio's clock."""

    start_ms: int
    end_ms: int
    peak: float = field(default=1.0, compare=False)
    """Highest score that voice activity detection gave in it, 0 to 1; 1.0 where it gave none."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A stretch in which one person speaks, on the audio's clock."""

    start_ms: int
    end_ms: int
    speaker: str
    """The id of a `Speaker`."""


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """A voice of a film."""

    id: str
    """A number from 1 in the order in which they first speak."""
    name: str = field(default="", metadata=SPARSE)
    """What a person calls it; empty: nobody said."""
    speech_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class Word:
    """One spoken word, with the punctuation that is written to it."""

    text: str
    start_ms: int
    end_ms: int
    probability: float | None = None
    timed_by: str = ""
    """What set the times: `cross-attention`, `wav2vec2` or `interpolated`."""
    speaker: str = field(default="", metadata=SPARSE)
    """The id of the `Speaker` who says it; empty: not known."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of speech as the recogniser cut it; `words` is empty until alignment."""

    start_ms: int
    end_ms: int
    text: str
    words: tuple[Word, ...] = ()
    avg_logprob: float | None = None
    """Mean log probability of a token, natural logarithm, of the chunk that the segment was heard in."""
    no_speech: float | None = None
    """The recogniser's own probability, 0 to 1, that nothing is said in that chunk."""
    marks: tuple[str, ...] = ()
    """`HEARD_AGAIN`, `OTHER_SCRIPT`, or what is doubtful about a translation: kinds of
    `protocol.subtitles.doubts`, in alphabetical order."""
    engine: str = ""
    """What translated it; what heard it, where a translation has it as it was said. Empty in a transcript
    that was heard, or came with a file."""
    again: bool = False
    """Whether it is what a second try gave, made in another way because the first was doubtful."""
    language: str = field(default="", metadata=SPARSE)
    """ISO 639-1, where it is in another language than the transcript; empty: it is in the transcript's."""


@dataclass(frozen=True, kw_only=True)
class Transcript:
    """What is said in a film. The body of `segments.json` and `transcript.*.json`."""

    language: str
    """ISO 639-1, or `UNDETERMINED`. In a film in several languages the one of most speech: a segment in
    another one says so."""
    segments: tuple[Segment, ...]
    language_probability: float | None = None
    """Between 0 and 1; None where the person said the language."""
    translated_from: str = ""
    engine: str = ""
    model: str = ""
    speakers: tuple[Speaker, ...] = field(default=(), metadata=SPARSE)
    """Who says the words, where the stage diarize told them apart."""

    def language_of(self, segment: Segment) -> str:
        """Return the language of one of the segments."""
        return segment.language or self.language

    def words(self) -> tuple[Word, ...]:
        """Return every word in order."""
        return tuple(word for segment in self.segments for word in segment.words)


@dataclass(frozen=True, kw_only=True)
class Cue:
    """One subtitle: what is on the screen from `start_ms` until `end_ms`."""

    start_ms: int
    end_ms: int
    lines: tuple[str, ...]
    speakers: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """The id of the `Speaker` of each line, empty where it is not known; no ids where none is known."""
