"""A person's corrections, applied to cues that may have been made anew. Pure.

A correction is found again by its place and its old text. Where the cues are cut otherwise now (another
profile), its text is found among the transcript's words; then these are changed, and the cues are cut again.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.subtitles.corrections import CorrectedCue, Correction
from protocol.timeline import Cue, Segment, Transcript, Word
from workers.text.writing import join

__all__ = ["BY_HAND", "Applied", "correct_cues", "correct_words", "told"]

_NEAR_MS = 3_000
"""So far another recogniser or profile moves a cue; the same line said twice is farther apart."""
_HYPHEN = "^[-\N{EN DASH}] ?(?!\\d)"
BY_HAND = "corrected"
"""`Word.timed_by` of words that a person wrote."""


@dataclass(frozen=True, kw_only=True)
class Applied:
    """Cues with the corrections that fit, and those that do not."""

    cues: tuple[Cue, ...]
    unfit: tuple[Correction, ...]


def told(unfit: Sequence[Correction], total: int) -> str:
    """Return a sentence about corrections that do not fit; empty where all do."""
    if not unfit:
        return ""
    first = _plain(" ".join(cue.text for cue in unfit[0].old or unfit[0].new))
    return f"{len(unfit)} of {total} corrections fit no more, the first at {first!r}"


def correct_cues(cues: Sequence[Cue], corrections: Sequence[Correction]) -> Applied:
    """Return the cues with each correction whose old cues are there, texts alike and times near.

    Where only the text was changed, the cue keeps the times that it has now.
    """
    found = list(cues)
    unfit = []
    for correction in corrections:
        place = _place(found, correction)
        if place is None:
            unfit.append(correction)
            continue
        there = found[place : place + len(correction.old)]
        found[place : place + len(correction.old)] = _replaced(there, correction)
    fit = len(unfit) < len(corrections)
    return Applied(cues=_without_overlaps(found) if fit else tuple(cues), unfit=tuple(unfit))


def _place(cues: Sequence[Cue], correction: Correction) -> int | None:
    """Return the index of the first old cue, of the nearest such; for an added cue, where there is room."""
    count = len(correction.old)
    if not count:
        return _room(cues, correction.new)
    wanted = [_plain(cue.text) for cue in correction.old]
    near = (
        (away_ms, place)
        for place in range(len(cues) - count + 1)
        if (away_ms := abs(cues[place].start_ms - correction.old[0].start_ms)) <= _NEAR_MS
    )
    # Texts are compared last, of the few that are near: a person may have changed every line of a film.
    alike = (
        (away_ms, place)
        for away_ms, place in near
        if [_plain(" ".join(cue.lines)) for cue in cues[place : place + count]] == wanted
    )
    _, place = min(alike, default=(0, None))
    return place


def _room(cues: Sequence[Cue], new: Sequence[CorrectedCue]) -> int | None:
    if not new or any(cue.start_ms < new[-1].end_ms and cue.end_ms > new[0].start_ms for cue in cues):
        return None
    return sum(cue.start_ms < new[0].start_ms for cue in cues)


def _replaced(there: Sequence[Cue], correction: Correction) -> list[Cue]:
    old, new = correction.old, correction.new
    if len(old) == len(new) and all(_same_times(one, two) for one, two in zip(old, new, strict=True)):
        return [
            replace(cue, lines=_lines(change), speakers=_kept([cue], _lines(change)))
            for cue, change in zip(there, new, strict=True)
        ]
    new_lines = [_lines(cue) for cue in new]
    if len(there) == len(new):
        speakers = [_kept([cue], lines) for cue, lines in zip(there, new_lines, strict=True)]
    else:
        speakers = _shared(there, new_lines)
    return [
        Cue(start_ms=cue.start_ms, end_ms=cue.end_ms, lines=lines, speakers=who)
        for cue, lines, who in zip(new, new_lines, speakers, strict=True)
    ]


def _shared(there: Sequence[Cue], new: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return who says the lines of each new cue, of cues that were joined or split."""
    every = _kept(there, [line for lines in new for line in lines])
    if not every:
        return [_by_texts(there, lines) for lines in new]
    left = iter(every)
    return [tuple(itertools.islice(left, len(lines))) for lines in new]


def _kept(there: Sequence[Cue], lines: Sequence[str]) -> tuple[str, ...]:
    """Return who says the new lines, as far as the cues before tell it; no ids where they do not."""
    speakers = _speakers(there)
    if len(set(speakers)) == 1:
        return (speakers[0],) * len(lines) if speakers[0] else ()
    return tuple(speakers) if len(speakers) == len(lines) else _by_texts(there, lines)


def _by_texts(there: Sequence[Cue], lines: Sequence[str]) -> tuple[str, ...]:
    old = [_bare(line) for cue in there for line in cue.lines]
    known = dict(zip(old, _speakers(there), strict=True))
    return tuple(known[_bare(line)] for line in lines) if all(_bare(line) in known for line in lines) else ()


def _speakers(there: Sequence[Cue]) -> list[str]:
    return [speaker for cue in there for speaker in cue.speakers or ("",) * len(cue.lines)]


def _same_times(one: CorrectedCue, two: CorrectedCue) -> bool:
    return (one.start_ms, one.end_ms) == (two.start_ms, two.end_ms)


def _without_overlaps(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """End a cue where the next begins: a person's times may meet cues that were not there then."""
    ordered = sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    parted = [
        replace(cue, end_ms=min(cue.end_ms, after.start_ms)) for cue, after in itertools.pairwise(ordered)
    ]
    return tuple(cue for cue in (*parted, *ordered[-1:]) if cue.end_ms > cue.start_ms and cue.lines)


def correct_words(
    transcript: Transcript, corrections: Sequence[Correction]
) -> tuple[Transcript, tuple[Correction, ...]]:
    """Return the transcript with the new text where its words have the old one, and the other corrections.

    Times and borders that a person set are not kept by this: the cues are cut otherwise anyway.
    """
    unfit = []
    for correction in corrections:
        changed = _with_text(transcript, correction) if correction.old else None
        if changed is None:
            unfit.append(correction)
        else:
            transcript = changed
    return transcript, tuple(unfit)


def _with_text(transcript: Transcript, correction: Correction) -> Transcript | None:
    for names in _names_before(transcript):
        changed = _with_text_of(transcript, correction, names)
        if changed is not None:
            return changed
    return None


def _names_before(transcript: Transcript) -> tuple[str, ...]:
    """Return the patterns of the names that lines may have had in front: today's ones, then any.

    A voice may have been called otherwise when its line was corrected.
    """
    names = "|".join(re.escape(speaker.name) for speaker in transcript.speakers if speaker.name)
    return (names, r"[^\]\n]+") if transcript.speakers else ("",)


def _with_text_of(transcript: Transcript, correction: Correction, names: str) -> Transcript | None:
    wanted = _letters("".join(_said(correction.old, transcript, names)))
    start_ms = correction.old[0].start_ms
    best: tuple[int, int, int, int] | None = None
    for number, segment in enumerate(transcript.segments):
        near = [
            first for first, word in enumerate(segment.words) if abs(word.start_ms - start_ms) <= _NEAR_MS
        ]
        texts = [_own_text(word) for word in segment.words]
        for first, last in _runs(texts, near, wanted):
            away_ms = abs(segment.words[first].start_ms - start_ms)
            if best is None or away_ms < best[0]:
                best = (away_ms, number, first, last)
    if best is None:
        return None
    _, number, first, last = best
    segment = transcript.segments[number]
    new = _words(_said(correction.new, transcript, names), segment.words[first : last + 1])
    words = (*segment.words[:first], *new, *segment.words[last + 1 :])
    segments = list(transcript.segments)
    segments[number] = _rewritten(segment, words, transcript.language_of(segment))
    return replace(transcript, segments=tuple(segment for segment in segments if segment.words))


def _said(cues: Sequence[CorrectedCue], transcript: Transcript, names: str) -> list[str]:
    """Return the lines of cues, where speakers are known without what only tells who speaks."""
    lines = [line for cue in cues for line in _lines(cue)]
    if not transcript.speakers:
        return lines
    label = re.compile(rf"(?:{_HYPHEN})?(?:\[(?:{names})\]\s*)?" if names else _HYPHEN)
    return [label.sub("", line, count=1) for line in lines]


def _own_text(word: Word) -> str:
    """Return the text of a word, where the speaker is known without his dash: his cue writes it."""
    return re.sub(_HYPHEN, "", word.text, count=1) if word.speaker else word.text


def _runs(texts: Sequence[str], firsts: Sequence[int], wanted: str) -> list[tuple[int, int]]:
    """Return first and last of each run of words that begins at `firsts` and is written as `wanted`."""
    found = []
    for first in firsts:
        letters = ""
        for last in range(first, len(texts)):
            letters += _letters(texts[last])
            if letters == wanted:
                found.append((first, last))
                break
            if not wanted.startswith(letters):
                break
    return found


def _words(lines: Sequence[str], old: Sequence[Word]) -> tuple[Word, ...]:
    """Return the new words, with times shared by their length between the old ones' ends.

    Each line has the speaker of the old words if there is one, or a speaker of his own if there are as many.
    """
    first, last = old[0], old[-1]
    who = [speaker for speaker, _ in itertools.groupby(word.speaker for word in old if word.speaker)]
    speakers = who if len(who) == len(lines) else (who if len(who) == 1 else [""]) * len(lines)
    texts = [(part, speaker) for line, speaker in zip(lines, speakers, strict=True) for part in line.split()]
    total = sum(len(part) for part, _ in texts)
    span_ms, done, found = last.end_ms - first.start_ms, 0, []
    for part, speaker in texts:
        start_ms = first.start_ms + span_ms * done // total
        done += len(part)
        end_ms = first.start_ms + span_ms * done // total
        word = Word(text=part, start_ms=start_ms, end_ms=end_ms, timed_by=BY_HAND, speaker=speaker)
        found.append(word)
    return tuple(found)


def _rewritten(segment: Segment, words: tuple[Word, ...], language: str) -> Segment:
    return replace(segment, words=words, text=join([word.text for word in words], language))


def _lines(cue: CorrectedCue) -> tuple[str, ...]:
    return tuple(line.strip() for line in cue.text.split("\n") if line.strip())


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _bare(line: str) -> str:
    """Return a line without the hyphen of two who share a cue: a person takes it out where one is alone."""
    return re.sub(_HYPHEN, "", _plain(line), count=1)


def _letters(text: str) -> str:
    """Return the text without spaces: in some scripts a word is a part of what stands between two of them."""
    return "".join(unicodedata.normalize("NFC", text).split())
