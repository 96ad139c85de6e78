"""Gives the words of a transcript their speakers. Pure."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from protocol.timeline import Speaker, Transcript, Turn, Word
from workers.text.sentence_ends.rule import find_ends

__all__ = ["NEAR_MS", "like_source", "with_speakers"]

NEAR_MS = 500
"""So far from a turn a word still belongs to it: the ends of turns and of words are found by two models."""
_MOST_MOVED = 2
"""So many words from a sentence's end the speakers change there: people take turns between sentences."""


def with_speakers(transcript: Transcript, turns: Sequence[Turn]) -> Transcript:
    """Return the transcript with a speaker on each word that a turn covers or nearly touches.

    `turns` are in the order of their starts. A word belongs to whom most of it is; without any turn in
    it, to the nearest turn within `NEAR_MS`. Where speakers change a word or two from the end of a sentence,
    they change there. `speakers` are those who say a word, with the time of their
    turns, in the order of their ids.
    """
    # Turns that are words of two who speak at once may end before an earlier one does.
    ends = list(itertools.accumulate((turn.end_ms for turn in turns), max))
    said = transcript.words()
    speakers = [_speaker_of(word, turns, ends) for word in said]
    settled = iter(_at_sentences(speakers, find_ends([word.text for word in said], transcript.language)))
    segments = tuple(
        replace(
            segment,
            words=tuple(
                replace(word, speaker=speaker) for word, speaker in zip(segment.words, settled, strict=False)
            ),
        )
        for segment in transcript.segments
    )
    found = replace(transcript, segments=segments)
    speech_ms: Counter[str] = Counter()
    for turn in turns:
        speech_ms[turn.speaker] += turn.end_ms - turn.start_ms
    heard = {word.speaker for word in found.words() if word.speaker}
    ids = sorted(heard, key=lambda name: (len(name), name))
    return replace(found, speakers=tuple(Speaker(id=name, speech_ms=speech_ms[name]) for name in ids))


def like_source(translation: Transcript, source: Transcript) -> Transcript:
    """Return a translation with the speakers of its source: who speaks at the time of each word."""
    if not source.speakers:
        return translation
    turns = [
        Turn(start_ms=word.start_ms, end_ms=word.end_ms, speaker=word.speaker)
        for word in sorted(source.words(), key=lambda word: word.start_ms)
        if word.speaker
    ]
    return replace(with_speakers(translation, turns), speakers=source.speakers)


def _at_sentences(speakers: Sequence[str], ends: Sequence[bool]) -> list[str]:
    """Return the speaker of each word, with changes moved to the end of a sentence where one is near.

    `ends` says whether a sentence ends with the word. The smaller part of a sentence goes to who says the
    larger one; a turn is never moved away as a whole.
    """
    found = list(speakers)
    runs = [0, *(place for place in range(1, len(found)) if found[place] != found[place - 1]), len(found)]
    opens = 0
    for change, after in itertools.pairwise(runs[1:]):
        # What is left of the turn before begins there.
        before, opens = opens, change
        if ends[change - 1] or not found[change - 1] or not found[change]:
            continue
        begin = next((place for place in range(change, before, -1) if ends[place - 1]), before)
        stop = next((place for place in range(change + 1, after) if ends[place - 1]), after)
        left, right = change - begin, stop - change
        # The last word of a sentence was given to who speaks next, or its first one to who spoke before.
        if right <= min(_MOST_MOVED, left - 1) and stop < after:
            found[change:stop] = [found[change - 1]] * right
            opens = stop
        elif left <= min(_MOST_MOVED, right - 1) and begin > before:
            found[begin:change] = [found[change]] * left
    return found


def _speaker_of(word: Word, turns: Sequence[Turn], ends: Sequence[int]) -> str:
    first = bisect_left(ends, word.start_ms - NEAR_MS)
    shared: Counter[str] = Counter()
    nearest, distance_ms = "", NEAR_MS + 1
    for turn in turns[first:]:
        if turn.start_ms > word.end_ms + NEAR_MS:
            break
        common = min(word.end_ms, turn.end_ms) - max(word.start_ms, turn.start_ms)
        if common > 0:
            shared[turn.speaker] += common
        elif -common < distance_ms:
            nearest, distance_ms = turn.speaker, -common
    return shared.most_common(1)[0][0] if shared else nearest
