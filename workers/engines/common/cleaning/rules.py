"""Rules that find what the recogniser wrote but nobody said; each gives its reason. Pure.

Whisper learnt from subtitles: on silence and music it writes what they had there, and it can fall into a
loop. No rule trusts the text alone: it also needs the times, what VAD heard, or how sure the recogniser is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from protocol.stages.clean import CleanRules
from protocol.timeline import Segment, Span, Transcript, Word
from workers.engines.common.cleaning.evidence import Witnesses, weight
from workers.engines.common.cleaning.repeats import Run, find_runs, shorten
from workers.speech.credits import credit_in, folded
from workers.speech.word_evidence import crammed
from workers.text.checks.notation import NOTES
from workers.text.pieces import pieces_of, share_time
from workers.text.writing import join

__all__ = ["RULES", "Cleaned", "Finding", "decide"]

RULES = ("loops", "credits", "outside_speech", "speech_rate", "low_confidence")
"""In the order in which they run; the first rule with a reason removes the sentence."""

_FASTEST_MS = 100
"""Nobody says a syllable faster (at most 9.1 a second, see `CleanRules.max_graphemes_per_second`)."""
_LONG_WORDS = 20
_MOST_LONG = 5
"""A piece of so many words is not said so often in a row: refrains have a verse between them."""
_MOST_NUMBERS = 12
"""Nor is the same number, alone, so often."""
_NOTED_TIMES = 4
"""A kept repetition is reported from this count on: it is a chant, or a loop without evidence."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a rule found: when, which text, and why it was removed or kept."""

    rule: str
    reason: str
    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A transcript without what was removed; `kept` is what looked wrong but was not removed."""

    transcript: Transcript
    removed: tuple[Finding, ...]
    kept: tuple[Finding, ...]


@dataclass(frozen=True, kw_only=True)
class _Said:
    """A word, the sentence it is in, and the key it is compared by."""

    word: Word
    segment: int
    key: str


@dataclass(frozen=True, kw_only=True)
class _Verdict:
    """What a rule says about a sentence."""

    reason: str
    keep: bool = False


@dataclass
class _Book:
    """What the rules have found so far."""

    removed: list[Finding] = field(default_factory=list)
    kept: list[Finding] = field(default_factory=list)

    def write(self, rule: str, verdict: _Verdict, words: Sequence[Word], text: str) -> None:
        """Note what a rule says about these words; `text` is their written form."""
        found = Finding(
            rule=rule, reason=verdict.reason, start_ms=words[0].start_ms, end_ms=words[-1].end_ms, text=text
        )
        (self.kept if verdict.keep else self.removed).append(found)


def decide(
    transcript: Transcript, speech: Sequence[Span], rules: CleanRules, media_duration_ms: int = 0
) -> Cleaned:
    """Return the transcript without what the rules remove, and each removal with its reason, by time.

    `speech` is where VAD heard speech; empty if that is not known. A sentence that loses nothing is returned
    as it is. One that loses words gets the text of the words that are left.
    """
    book = _Book()
    words = [_words_of(segment, transcript.language_of(segment)) for segment in transcript.segments]
    end_ms = media_duration_ms or max((segment.end_ms for segment in transcript.segments), default=0)
    witnesses = Witnesses.of(speech, rules, end_ms)
    segments = list(transcript.segments)
    if rules.loops:
        segments = _without_loops(transcript, words, witnesses, book)
    left = [
        segment
        for segment in segments
        if not _is_removed(segment, _words_of(segment, transcript.language_of(segment)), witnesses, book)
    ]
    return Cleaned(
        transcript=replace(transcript, segments=tuple(left)),
        removed=tuple(sorted(book.removed, key=lambda finding: finding.start_ms)),
        kept=tuple(sorted(book.kept, key=lambda finding: finding.start_ms)),
    )


def _words_of(segment: Segment, language: str) -> tuple[Word, ...]:
    """Return the sentence's words; if it was not aligned, they share its time."""
    if segment.words:
        return segment.words
    return tuple(share_time(pieces_of(segment.text, language), segment.start_ms, segment.end_ms))


# Loops.


def _without_loops(
    transcript: Transcript, words: Sequence[Sequence[Word]], witnesses: Witnesses, book: _Book
) -> list[Segment]:
    """Return the segments; a loop that nobody can have said is cut to one or two repetitions."""
    said = [
        _Said(word=word, segment=index, key=folded(word.text))
        for index, segment_words in enumerate(words)
        for word in segment_words
    ]
    new: dict[int, Word | None] = {}
    for place, token in enumerate(said):
        if shortened := _shortened(token, transcript.segments[token.segment], witnesses, book):
            new[place] = shortened
    for run in find_runs([token.key for token in said], witnesses.rules.loop_repeats):
        new.update(_cut(run, said, transcript, witnesses, book))
    changed = {said[place].segment for place in new}
    left = ((token.segment, new.get(place, token.word)) for place, token in enumerate(said))
    kept = {
        index: tuple(word for _, word in group if word is not None)
        for index, group in groupby(left, key=lambda pair: pair[0])
    }
    return [
        _rewritten(segment, kept[index], transcript.language_of(segment)) if index in changed else segment
        for index, segment in enumerate(transcript.segments)
        if index not in changed or kept[index]
    ]


def _rewritten(segment: Segment, words: tuple[Word, ...], language: str) -> Segment:
    text = join([word.text for word in words], language)
    return replace(segment, words=words, text=text, start_ms=words[0].start_ms, end_ms=words[-1].end_ms)


def _shortened(said: _Said, segment: Segment, witnesses: Witnesses, book: _Book) -> Word | None:
    """Return the word with its repeated letters cut to two; None if the word may stay as it is."""
    word = said.word
    text = shorten(word.text)
    if text == word.text:
        return None
    if not (
        witnesses.too_fast([word]) or witnesses.outside([word]) or witnesses.doubt(segment, segment.words)
    ):
        verdict = _Verdict(reason="letters repeated as they can be said", keep=True)
        book.write("loops", verdict, [word], word.text)
        return None
    verdict = _Verdict(reason="letters repeated as nobody can have said it: cut to two")
    book.write("loops", verdict, [word], word.text)
    return replace(word, text=text)


def _cut(
    run: Run, said: Sequence[_Said], transcript: Transcript, witnesses: Witnesses, book: _Book
) -> dict[int, Word | None]:
    """Return what the words of a repetition become, by place; None for a word that is dropped."""
    often = _too_often(run, said)
    faults = [often or _fault(run, number, said, transcript, witnesses) for number in range(run.count)]
    language = transcript.language_of(transcript.segments[said[run.first].segment])
    spoken = join([token.word.text for token in said[run.first : run.first + run.size]], language)
    times = f"{spoken!r} {run.count} times in a row"
    bad = [fault for fault in faults if fault]
    if len(bad) * 2 <= run.count:
        if run.count >= _NOTED_TIMES:
            words = [token.word for token in said[run.first : run.stop]]
            verdict = _Verdict(reason=f"{times}, as it can be said or sung", keep=True)
            book.write("loops", verdict, words, join([word.text for word in words], language))
        return {}
    sound = 1 if often else next((number for number, fault in enumerate(faults) if fault), run.count)
    keep = max(1, min(witnesses.rules.loop_keep, sound, run.count - 1))
    first, stop = run.first + keep * run.size, run.stop + _tail(run, said)
    why = max(set(bad), key=bad.count)
    verdict = _Verdict(reason=f"{times}, {len(bad)} of them {why}: {keep} kept")
    gone = [token.word for token in said[first:stop]]
    book.write("loops", verdict, gone, join([word.text for word in gone], language))
    found: dict[int, Word | None] = dict.fromkeys(range(first, stop))
    # What is left ends with the loop's last word: with a comma, no sentence would end there.
    found[first - 1] = replace(said[first - 1].word, text=said[run.stop - 1].word.text)
    return found


def _too_often(run: Run, said: Sequence[_Said]) -> str:
    """Return why nobody says this so often, however sure the recogniser is; empty if somebody may."""
    if run.size >= _LONG_WORDS and run.count >= _MOST_LONG:
        return "too long to be said so often"
    if run.count >= _MOST_NUMBERS and all(
        token.key.isdecimal() for token in said[run.first : run.first + run.size]
    ):
        return "the same number"
    return ""


def _fault(run: Run, number: int, said: Sequence[_Said], transcript: Transcript, witnesses: Witnesses) -> str:
    """Return why nobody can have said this repetition; empty if somebody can."""
    first = run.first + number * run.size
    mine = said[first : first + run.size]
    words = [token.word for token in mine]
    next_ms = said[first + run.size].word.start_ms if first + run.size < len(said) else 0
    lasted = max(sum(word.end_ms - word.start_ms for word in words), next_ms - words[0].start_ms)
    if lasted < _FASTEST_MS or weight(words) * 1_000 > witnesses.rules.max_graphemes_per_second * lasted:
        return "faster than anybody speaks"
    if witnesses.outside(words):
        return "outside the speech"
    segment = transcript.segments[mine[0].segment]
    return "doubted by the recogniser" if witnesses.doubt(segment, segment.words) else ""


def _tail(run: Run, said: Sequence[_Said]) -> int:
    """Return how many words of an unfinished repetition to drop: all, unless a sentence goes on after it."""
    end = run.stop + run.rest
    ends = end == len(said) or said[end].segment != said[end - 1].segment
    return run.rest if ends else 0


# Sentences.


def _is_removed(segment: Segment, words: Sequence[Word], witnesses: Witnesses, book: _Book) -> bool:
    if not words:
        return False
    for rule, asked in _SENTENCE_RULES:
        if getattr(witnesses.rules, rule) and (verdict := asked(segment, words, witnesses)):
            book.write(rule, verdict, words, segment.text)
            if not verdict.keep:
                return True
    return False


def _credits(segment: Segment, words: Sequence[Word], witnesses: Witnesses) -> _Verdict | None:
    phrase = credit_in(segment.text)
    if not phrase:
        return None
    reasons = (
        (witnesses.outside(words), "where nobody speaks"),
        (witnesses.is_faint(segment), "where VAD hardly heard speech"),
        (witnesses.no_speech(segment), "where the recogniser hears no speech"),
        (witnesses.doubt(segment, words), "and the recogniser doubts it"),
        (crammed(words, witnesses.rules.max_graphemes_per_second, weight), "faster than anybody speaks"),
        (witnesses.ends_doubtfully(segment, words), "at the film's end, and not probable"),
    )
    why = next((reason for holds, reason in reasons if holds), "")
    if why:
        return _Verdict(reason=f"the phrase {phrase!r} {why}")
    return _Verdict(reason=f"the phrase {phrase!r}, but said in speech and probable", keep=True)


def _outside_speech(_segment: Segment, words: Sequence[Word], witnesses: Witnesses) -> _Verdict | None:
    if not weight(words) and not any(sign in word.text for word in words for sign in NOTES):
        return _Verdict(reason="it has no word")
    return _Verdict(reason="no word of it is in speech that VAD found") if witnesses.outside(words) else None


def _speech_rate(segment: Segment, words: Sequence[Word], witnesses: Witnesses) -> _Verdict | None:
    rate = crammed(words, witnesses.rules.max_graphemes_per_second, weight)
    if not rate:
        return None
    reason = f"{rate:.0f} letters a second, where {witnesses.rules.max_graphemes_per_second:.0f} can be said"
    if witnesses.sure(segment, words):
        return _Verdict(reason=f"{reason}, but the recogniser is sure of it", keep=True)
    return _Verdict(reason=reason)


def _low_confidence(segment: Segment, words: Sequence[Word], witnesses: Witnesses) -> _Verdict | None:
    if not witnesses.doubt(segment, words):
        return None
    said = f"log probability {witnesses.confidence(segment, words):.2f}"
    if witnesses.no_speech(segment):
        return _Verdict(reason=f"{said}, and no speech with probability {segment.no_speech:.2f}")
    if witnesses.is_faint(segment):
        return _Verdict(reason=f"{said}, and VAD hardly heard speech ({witnesses.peak(segment):.2f})")
    if odd := witnesses.odd(words):
        return _Verdict(reason=f"{said}, and {odd} of {len(words)} words improbable, too short or too long")
    return None


_Rule = Callable[[Segment, Sequence[Word], Witnesses], _Verdict | None]
_SENTENCE_RULES: Iterable[tuple[str, _Rule]] = (
    ("credits", _credits),
    ("outside_speech", _outside_speech),
    ("speech_rate", _speech_rate),
    ("low_confidence", _low_confidence),
)
