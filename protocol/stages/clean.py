"""clean: a transcript without what was heard but never said."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.schema import SPARSE
from protocol.timeline import Span, Turn

__all__ = ["STAGE", "CleanRequest", "CleanResult", "CleanRules"]


@dataclass(frozen=True, kw_only=True)
class CleanRules:
    """Which rules are applied, and from where on. A probability that is not known speaks against nobody."""

    loops: bool = True
    """Words repeated many times in a row that nobody can have said so are cut to one or two repetitions."""
    credits: bool = True
    """`Thanks for watching`, `Subtitles by ...`: only without speech, with doubt, or doubtful at the end."""
    outside_speech: bool = True
    """Sentences without a word in any speech that VAD found."""
    speech_rate: bool = True
    """Sentences crammed into less time than they can be said in, unless the recogniser is sure of them."""
    low_confidence: bool = True
    """Sentences that the recogniser doubts and a second witness, too: no speech, a faint VAD, odd words."""
    other_language: bool = True
    """Text that is in another language than the transcript says is marked, and stays: a recogniser may have
    invented it, or taken one language for another."""
    loop_repeats: int = 3
    """So often in a row is a repetition looked at; a pair is nobody's loop."""
    loop_keep: int = 2
    """At most so many repetitions of a loop are kept, at least one: those at its start that can be said."""
    max_graphemes_per_second: float = 40.0
    """Letters a second of the words' own time. 190 words a minute, which is fast, are 16 English letters a
    second; the fastest of 170 readers in 17 languages came to 9.1 syllables a second (Coupé et al. 2019,
    Science Advances 5:eaaw2594), some 25 letters. Letters that are syllables (Han, kana, Hangul, Indic)
    count twice.
    """
    speech_margin_ms: int = 500
    """So far from speech a word still belongs to it: VAD hears it start late, by 70 to 250 ms."""
    min_logprob: float = -1.0
    """A lower mean log probability is doubt: `log_prob_threshold` of openai/whisper."""
    max_no_speech: float = 0.6
    """A higher probability that nothing is said speaks for it: `no_speech_threshold` of openai/whisper."""
    min_speech_peak: float = 0.6
    """VAD's score under which it hardly heard speech: its onset is 0.5, and speech reaches 0.99."""
    sure_logprob: float = -0.3
    """A higher one is no doubt at all: three words of four are the only ones thinkable."""
    credits_logprob: float = -0.5
    """Credits in the film's last part are removed where they are less probable than this, unless VAD is as
    sure of speech there as `strong_speech_peak`: people say `The end.`, and name addresses."""
    strong_speech_peak: float = 0.9
    credits_end_ms: int = 60_000
    """The film's last part."""


@dataclass(frozen=True, kw_only=True)
class CleanRequest(CleanRules):
    """Take out of `transcript` (a `Transcript` with words) what was not said."""

    transcript: Artefact
    speech: tuple[Span, ...] = ()
    """Where VAD heard speech; empty: not known."""
    media_duration_ms: int = 0
    """Length of the sound; 0: until the last word."""
    turns: tuple[Turn, ...] = field(default=(), metadata=SPARSE)
    """Who speaks when, exclusive and in order: each word gets its speaker."""
    terms: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """Names and terms as the glossary writes them in the film's language: what is nearly one is marked."""


@dataclass(frozen=True, kw_only=True)
class CleanResult:
    """`transcript` is a `Transcript` as JSON. `report` is `cleaning.json`: what was removed and why, and what
    looked like it and was kept: `{"version": 1, "rules": {...}, "removed": [...], "kept": [...]}`.
    """

    transcript: Artefact
    report: Artefact
    removed: dict[str, int]
    """Rule to how many removals; rules without any are left out."""
    segment_count: int
    notes: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """What else was changed: Hindi that was heard in Arabic script; and where the text is in another language
    than the transcript says."""


STAGE = Stage(
    name="clean",
    folder="09_clean",
    version=1,
    request=CleanRequest,
    result=CleanResult,
    budget_ms=120_000,
    budget_per_media=0.1,
    weight=1,
    cores=1,
    filled=frozenset({"media_duration_ms", "terms", "turns"}),
)
