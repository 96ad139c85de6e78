"""A track: a transcript's words cut into cues, written in any format and checked. Pure."""

from __future__ import annotations

import bisect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from protocol.schema import to_plain
from protocol.subtitles.corrections import Correction
from protocol.subtitles.rules import OF_ONE_TEXT, READING
from protocol.timeline import Cue, Segment, Speaker, Transcript, Word
from workers.engines.common.cleaning.rules import Finding
from workers.engines.common.corrections import Applied, correct_cues, correct_words
from workers.engines.common.cues.checking.language import ForeignText, with_language
from workers.engines.common.cues.checking.quality import Violation, check, sentence, to_report
from workers.engines.common.cues.cut import CueRules, cut, spoken_sentences
from workers.engines.common.cues.languages import CuePart, RulesOf, check_parts, cut_parts
from workers.engines.common.cues.phrases import count_graphemes
from workers.engines.common.cues.shots import respect_shots
from workers.engines.common.formats import writing
from workers.text.transcripts import runs_of

__all__ = ["INTERPOLATED", "Track", "called", "cut_track", "shift", "with_words"]

_Span = TypeVar("_Span", Segment, Word)
INTERPOLATED = "interpolated"


@dataclass(frozen=True, kw_only=True)
class Track:
    """What every format is written from; times are on the film's clock."""

    transcript: Transcript
    cues: tuple[Cue, ...]
    rules: CueRules
    profile: str
    karaoke: bool = False
    speaker_colours: bool = False
    provenance: Mapping[str, Any] = field(default_factory=dict)
    """What it was made from, as plain values: the title, the transcript's digest."""
    removed: tuple[Finding, ...] = ()
    """What the stage clean removed before the cues were cut, each with its reason."""
    corrections: tuple[Correction, ...] = ()
    """What a person changed, and what is in the cues now as far as it fits."""
    unfit: tuple[Correction, ...] = ()
    """Those that do not fit any more: their old text is not there."""
    shared_by: tuple[Track, ...] = ()
    """The tracks of other languages that these cues join; each track judges its own reading speed."""
    parts: tuple[CuePart, ...] = ()
    """The cues by the language of their text, each part with its rules; empty: all are in one language."""

    foreign: ForeignText | None = None
    """What of the cues is in another language; None: nobody judged that."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the language of each cue."""
        if not self.parts:
            return (self.transcript.language,) * len(self.cues)
        return tuple(part.rules.language for part in self.parts for _ in part.cues)

    @property
    def made_by(self) -> dict[str, Any]:
        """Return what made the track, for the files that have room for it."""
        return {
            "language": self.transcript.language,
            "translated_from": self.transcript.translated_from,
            "engine": self.transcript.engine,
            "model": self.transcript.model,
            **self.provenance,
        }

    def write(self, name: str) -> bytes:
        """Return the track's file in the format `name`."""
        return writing.write(self, name)

    def sentences(self) -> tuple[str, ...]:
        """Return the text as sentences."""
        return tuple(text for _, text in self.spoken_sentences())

    def spoken_sentences(self) -> tuple[tuple[str, str], ...]:
        """Return the sentences, each behind the id of its speaker; empty where that is not known."""
        words = self.transcript.words()
        parts = [(part.words, part.rules) for part in self.parts] or [(words, self.rules)]
        return tuple(said for words, rules in parts for said in spoken_sentences(words, rules))

    def violations(self) -> tuple[Violation, ...]:
        """Return the violations: where the cues break a rule."""
        if self.parts:
            found = check_parts(self.parts)
        else:
            found = check(self.cues, self.rules, self.transcript.words())
        # Nobody reads two languages at once, and one of them may stay while the other changes.
        spared = READING | OF_ONE_TEXT if self.shared_by else frozenset()
        return tuple(
            violation for violation in with_language(found, self.foreign) if violation.rule not in spared
        )

    def told(self, violations: tuple[Violation, ...]) -> str:
        """Return one line for a summary; empty if all is well."""
        own = [sentence(violations)]
        others = [(track.transcript.language, sentence(_reading(track))) for track in self.shared_by]
        return "; ".join(filter(None, own + [f"{language}: {text}" for language, text in others if text]))

    def report(self, violations: tuple[Violation, ...]) -> dict[str, Any]:
        """Return what `<title>.<language>.qc.json` holds: a `QualityReport` and what made the track."""
        made_by = self.made_by
        if self.shared_by:
            made_by = {
                **self.provenance,
                "shared_by": [track.report(_reading(track)) for track in self.shared_by],
            }
        foreign = self.foreign.stretches if self.foreign else None
        report = to_plain(to_report(self.cues, self.rules, violations, profile=self.profile, foreign=foreign))
        corrected = {"corrected": len(self.corrections) - len(self.unfit), "unfit": to_plain(self.unfit)}
        return {
            "version": report["version"],
            **made_by,
            **report,
            "removed": to_plain(self.removed),
            **(corrected if self.corrections else {}),
        }

    def write_report(self, violations: tuple[Violation, ...]) -> bytes:
        """Return the bytes of that file: UTF-8, indented as `write_json` does it."""
        text = json.dumps(self.report(violations), ensure_ascii=False, indent=1) + "\n"
        return text.encode("utf-8", "replace")


def _reading(track: Track) -> tuple[Violation, ...]:
    return tuple(violation for violation in track.violations() if violation.rule in READING)


def cut_track(
    transcript: Transcript,
    rules: CueRules | RulesOf,
    *,
    profile: str,
    provenance: Mapping[str, Any] | None = None,
    shots_ms: Sequence[int] = (),
    corrections: Sequence[Correction] = (),
) -> Track:
    """Return the track of a transcript with times on the film's clock; `profile` is the name of the rules.

    Where `rules` depend on the language, each segment is cut by those of its own. Cues keep clear of the
    film's shot changes `shots_ms`. Nobody says the words of a translation, so their times are no bound: a cue
    may stay in free time until it has been read, unless a person has set `linger_ms`.

    The `corrections` of its language take the place of what was cut.
    """
    transcript = with_words(transcript)

    def rules_of(language: str) -> CueRules:
        return _lasting(rules if isinstance(rules, CueRules) else rules(language), transcript)

    main = rules_of(transcript.language)

    def cut_all(spoken: Transcript) -> tuple[CuePart, ...]:
        # A segment without words (an empty translation) has no cue, and parts nothing.
        filled = replace(spoken, segments=tuple(segment for segment in spoken.segments if segment.words))
        runs = [(language, _words(segments)) for language, segments in runs_of(filled)]
        if any(language != transcript.language for language, _ in runs) and not isinstance(rules, CueRules):
            return cut_parts(runs, rules_of, shots_ms)
        words = spoken.words()
        cues = respect_shots(cut(words, main), words, shots_ms, main)
        return (CuePart(words=words, rules=main, cues=cues),)

    own = tuple(change for change in corrections if change.language == transcript.language)
    transcript, applied, parts = _corrected(transcript, own, cut_all)
    return Track(
        transcript=transcript,
        cues=applied.cues,
        parts=parts if any(part.rules.language != main.language for part in parts) else (),
        rules=main,
        profile=profile,
        provenance=provenance or {},
        corrections=own,
        unfit=applied.unfit,
    )


def _words(segments: Sequence[Segment]) -> tuple[Word, ...]:
    return tuple(word for segment in segments for word in segment.words)


def _lasting(rules: CueRules, transcript: Transcript) -> CueRules:
    if transcript.translated_from and rules.linger_ms == CueRules.linger_ms:
        return replace(rules, linger_ms=rules.max_cue_ms)
    return rules


def _corrected(
    transcript: Transcript,
    corrections: tuple[Correction, ...],
    cut_all: Callable[[Transcript], tuple[CuePart, ...]],
) -> tuple[Transcript, Applied, tuple[CuePart, ...]]:
    """Return the cues with a person's corrections, the transcript with their words, the cues by language."""
    parts = cut_all(transcript)
    applied = correct_cues(_cues_of(parts), corrections)
    changed, still_unfit = correct_words(transcript, applied.unfit)
    if len(still_unfit) < len(applied.unfit):
        in_words = [change for change in applied.unfit if change not in still_unfit]
        rest = [change for change in corrections if change not in in_words]
        transcript, parts = changed, cut_all(changed)
        applied = correct_cues(_cues_of(parts), rest)
    return transcript, applied, _shared_out(applied.cues, parts)


def _cues_of(parts: Sequence[CuePart]) -> tuple[Cue, ...]:
    return tuple(cue for part in parts for cue in part.cues)


def _shared_out(cues: Sequence[Cue], parts: Sequence[CuePart]) -> tuple[CuePart, ...]:
    """Return the parts with corrected cues: a cue belongs to the part in whose time its middle is.

    A part begins with its first cue: words of two languages may overlap, their cues do not.
    """
    if _cues_of(parts) == tuple(cues):
        return tuple(parts)
    begins = [(part.cues or part.words)[0].start_ms for part in parts[1:]]
    found: list[list[Cue]] = [[] for _ in parts]
    for cue in cues:
        found[bisect.bisect_right(begins, (cue.start_ms + cue.end_ms) // 2)].append(cue)
    return tuple(replace(part, cues=tuple(own)) for part, own in zip(parts, found, strict=True))


def with_words(transcript: Transcript) -> Transcript:
    """Return the transcript with words in every segment that has text.

    If a segment was not aligned, its words share its time by their length.
    """
    segments = tuple(
        segment if segment.words else replace(segment, words=_interpolate(segment))
        for segment in transcript.segments
    )
    return replace(transcript, segments=segments)


def called(transcript: Transcript, names: Mapping[str, str]) -> Transcript:
    """Return the transcript with the speakers' names, by their ids; who has the same name is one speaker."""
    if not names or not transcript.speakers:
        return transcript
    firsts: dict[str, Speaker] = {}
    same: dict[str, str] = {}
    for speaker in transcript.speakers:
        name = names.get(speaker.id, speaker.name)
        first = firsts.setdefault(name or f"\n{speaker.id}", replace(speaker, name=name))
        same[speaker.id] = first.id
        if first.id != speaker.id:
            firsts[name] = replace(first, speech_ms=first.speech_ms + speaker.speech_ms)
    segments = tuple(
        replace(
            segment,
            words=tuple(
                replace(word, speaker=same.get(word.speaker, word.speaker)) for word in segment.words
            ),
        )
        for segment in transcript.segments
    )
    return replace(transcript, segments=segments, speakers=tuple(firsts.values()))


def shift(transcript: Transcript, offset_ms: int) -> Transcript:
    """Return the transcript with `offset_ms` added to every time: from the clip's clock to the film's."""
    return replace(
        transcript,
        segments=tuple(
            replace(
                _moved(segment, offset_ms), words=tuple(_moved(word, offset_ms) for word in segment.words)
            )
            for segment in transcript.segments
        ),
    )


def _moved(span: _Span, offset_ms: int) -> _Span:
    return replace(span, start_ms=span.start_ms + offset_ms, end_ms=span.end_ms + offset_ms)


def _interpolate(segment: Segment) -> tuple[Word, ...]:
    texts = segment.text.split()
    total = sum(count_graphemes(text) for text in texts)
    words, done = [], 0
    span = max(0, segment.end_ms - segment.start_ms)
    for text in texts:
        start = segment.start_ms + span * done // total
        done += count_graphemes(text)
        end = segment.start_ms + span * done // total
        words.append(Word(text=text, start_ms=start, end_ms=end, timed_by=INTERPOLATED))
    return tuple(words)
