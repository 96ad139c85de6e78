"""Joins the segments of a recogniser or of subtitles to whole sentences. Pure.

Only whole sentences translate well: half a sentence may have no verb.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Segment, Word
from workers.text.pieces import clean, count_graphemes, pieces_of, share_time
from workers.text.sentence_ends.marks import CLOSERS, OPENERS, sentence_ends_of
from workers.text.sentence_ends.rule import find_ends
from workers.text.writing import ends_clause, is_punctuation, join

__all__ = ["MOST_GRAPHEMES", "MOST_MS", "PAUSE_MS", "Sentence", "join_sentences"]

PAUSE_MS = 2_000
"""No sentence has a longer pause in it: nothing is joined over one."""
MOST_GRAPHEMES = 400
"""About 60 words: longer than the lines that translation models were trained on."""
MOST_MS = 40_000
_NOTED_PAUSE_MS = 300


@dataclass(frozen=True, kw_only=True)
class Sentence:
    """A sentence of the source, and when its words are said."""

    text: str
    words: tuple[Word, ...]
    """At least one, with times in order. Where a segment has only a text, its words share its time."""

    @property
    def start_ms(self) -> int:
        """Return when its first word starts."""
        return self.words[0].start_ms

    @property
    def speaker(self) -> str:
        """Return the id of who says it; empty where that is not known."""
        return next((word.speaker for word in self.words if word.speaker), "")

    @property
    def end_ms(self) -> int:
        """Return when its last word ends, at least 1 ms after the start."""
        return max(self.words[-1].end_ms, self.start_ms + 1)


@dataclass(frozen=True, kw_only=True)
class _SegmentWord:
    """A word, and whether its segment ends with it."""

    word: Word
    ends_segment: bool


def join_sentences(segments: Sequence[Segment], language: str) -> list[Sentence]:
    """Return the sentences of `language` (ISO 639-1) that the segments hold, in the order of time.

    A sentence ends at its mark (full stop, danda and the like), at a pause of more than `PAUSE_MS`, and where
    another person speaks. The mark of an abbreviation, an initial or a decimal number ends none. A sentence
    that is longer than `MOST_GRAPHEMES` or `MOST_MS` is cut where it harms least: after a clause, in a pause,
    at the end of a segment, near the middle. Only a single word may be longer. Every word of the segments is
    in one sentence, in order.
    """
    ordered = sorted(segments, key=lambda segment: segment.start_ms)
    said = _in_order(token for segment in ordered for token in _words_of(segment, language))
    return [
        _sentence(part, language)
        for group in _groups(said, language)
        for part in _within_limits(group, language)
    ]


def _groups(said: Sequence[_SegmentWord], language: str) -> list[list[_SegmentWord]]:
    """Return the words in groups, one for each sentence."""
    found: list[list[_SegmentWord]] = []
    ended, speaker = True, ""
    ends = find_ends([token.word.text for token in said], language)
    for place, token in enumerate(said):
        before = said[place - 1].word if place else None
        paused = before is not None and token.word.start_ms - before.end_ms > PAUSE_MS
        # Who is not known says nothing of whose turn it is.
        turned = token.word.speaker != "" and speaker not in ("", token.word.speaker)
        tail = place > 0 and not paused and not turned and _is_tail(token.word.text, language)
        if paused or turned or (ended and not tail):
            found.append([])
            speaker = ""
        found[-1].append(token)
        speaker = token.word.speaker or speaker
        ended = ends[place] or (ended and tail)
    return found


def _is_tail(text: str, language: str) -> bool:
    """Return whether the text belongs to the word before it: a mark or a closing quote that stands alone."""
    ends = text.rstrip(CLOSERS)[-1:] in sentence_ends_of(language)
    alone = is_punctuation(text) and ends and not any(character in OPENERS for character in text)
    return alone or all(character in CLOSERS and character not in OPENERS for character in text)


def _words_of(segment: Segment, language: str) -> list[_SegmentWord]:
    words: list[Word] = []
    for word in segment.words:
        words += _one_sentence_each(word, language)
    if not segment.words:
        words = share_time(_pieces(segment.text, language), segment.start_ms, segment.end_ms)
    words = [word for word in words if word.text.strip()]
    return [_SegmentWord(word=word, ends_segment=word is words[-1]) for word in words]


def _one_sentence_each(word: Word, language: str) -> list[Word]:
    """Return the word, in pieces where a sentence ends inside it: some engines merge words."""
    pieces = _pieces(word.text, language)
    if not any(find_ends(pieces, language)[:-1]):
        return [replace(word, text=clean(word.text))]
    shared = share_time(pieces, word.start_ms, word.end_ms)
    return [replace(piece, speaker=word.speaker) for piece in shared]


def _pieces(text: str, language: str) -> list[str]:
    """Return the words of a text, or its letters, none with a sentence end and a space inside it."""
    pieces: list[str] = []
    for piece in pieces_of(text, language):
        first, *others = piece.split(" ")
        pieces.append(first)
        for other in others:
            if pieces[-1].rstrip(CLOSERS)[-1:] in sentence_ends_of(language):
                pieces.append(other)
            else:
                pieces[-1] += f" {other}"
    return pieces


def _in_order(said: Iterable[_SegmentWord]) -> list[_SegmentWord]:
    """Return the words with times that never go back, though the segments of two speakers may overlap."""
    found: list[_SegmentWord] = []
    now = 0
    for token in said:
        start_ms = max(now, token.word.start_ms)
        now = max(start_ms, token.word.end_ms)
        found.append(replace(token, word=replace(token.word, start_ms=start_ms, end_ms=now)))
    return found


def _within_limits(group: list[_SegmentWord], language: str) -> list[list[_SegmentWord]]:
    todo, done = [group], []
    while todo:
        part = todo.pop()
        if len(part) == 1 or _fits(part):
            done.append(part)
        else:
            at = _best_cut(part, language)
            todo += [part[at:], part[:at]]
    return done


def _fits(part: list[_SegmentWord]) -> bool:
    length = sum(count_graphemes(token.word.text) + 1 for token in part) - 1
    return length <= MOST_GRAPHEMES and part[-1].word.end_ms - part[0].word.start_ms <= MOST_MS


def _best_cut(part: list[_SegmentWord], language: str) -> int:
    """Return the index of the word before which to cut, by marks, pauses, and the distance to the middle."""
    return max(range(1, len(part)), key=lambda at: _worth_of_cut(part, at, language))


def _worth_of_cut(part: list[_SegmentWord], at: int, language: str) -> float:
    before, after = part[at - 1], part[at]
    pause_ms = after.word.start_ms - before.word.end_ms
    clause = ends_clause(before.word.text, after.word.text, language)
    paused = min(pause_ms, PAUSE_MS) / 500 if pause_ms > _NOTED_PAUSE_MS else 0.0
    # From 0 in the middle to 4 at the ends, where a cut leaves the rest as long as before.
    off_middle = abs(at / len(part) - 0.5) * 8
    return 2.0 * clause + paused + before.ends_segment - off_middle


def _sentence(part: list[_SegmentWord], language: str) -> Sentence:
    words = tuple(token.word for token in part)
    return Sentence(text=join([word.text for word in words], language), words=words)
