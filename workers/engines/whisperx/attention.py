"""The times of words, by Whisper's cross-attention through CTranslate2."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.languages import UNSPACED
from protocol.timeline import Span
from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.models import tokenizer
from workers.lanes import batches_for, side_by_side
from workers.speech.spans import within
from workers.speech.whisper import LAG_MS, WINDOW_MS
from workers.speech.word_times import (
    CROSS_ATTENTION,
    AttendedPiece,
    TimedWord,
    correct_word_times,
    join_attended,
    spread_words,
)
from workers.text.writing import glue

__all__ = ["INTERPOLATED", "SpokenText", "WordTimer", "split_words"]

INTERPOLATED = "interpolated"
"""The name, in `Word.timed_by`, of times that were shared out by the lengths of the words."""
_MOST_TOKENS = 440
"""Whisper's decoder has 448 positions."""
_SAMPLES_PER_FRAME = 160
"""A mel frame is 10 ms."""


@dataclass(frozen=True, kw_only=True)
class SpokenText:
    """A text and the stretch of sound in which it is said."""

    text: str
    heard: Span
    """At most 30 s can be aligned."""


def split_words(text: str, language: str) -> list[str]:
    """Return the words of a text, to share time among them; in a language without spaces, its characters."""
    pieces = list(text) if language in UNSPACED else [f" {part}" for part in text.split()]
    return ["".join(pieces[index] for index in group).strip() for group in glue(pieces, language)]


@dataclass(frozen=True, kw_only=True)
class WordTimer:
    """Finds when words are said in one film.

    `language` is the language that is spoken; with the task `translate` the texts are English.
    """

    film: EncodedFilm
    language: str
    task: str = "transcribe"
    batch_size: int

    @property
    def _written(self) -> str:
        return "en" if self.task == "translate" else self.language

    def time(
        self, texts: Sequence[SpokenText], speech: Sequence[Span], progress: Callable[[float], None]
    ) -> list[tuple[list[TimedWord], str]]:
        """Return for each text its words inside `speech`, and the method that timed them.

        Where a text lasts more than 30 s or cannot be aligned, its words share the speech by their lengths.
        `progress` is called with 0 to 1, as batches are done.
        """
        whisper = self.film.whisper
        batches = batches_for(texts, self.batch_size, whisper.lanes)
        attended = side_by_side(
            self._attend,
            batches,
            whisper.lanes,
            lambda done: progress(done / len(batches)),
            whisper.lanes_now,
        )
        found: list[tuple[list[TimedWord], str]] = []
        for spoken, pieces in zip(texts, itertools.chain.from_iterable(attended), strict=True):
            room = within(speech, spoken.heard.start_ms, spoken.heard.end_ms)
            if words := join_attended(pieces, self._written):
                found.append((correct_word_times(words, room, self._written), CROSS_ATTENTION))
            else:
                found.append((self._spread(spoken, room), INTERPOLATED))
        return found

    def _spread(self, spoken: SpokenText, room: list[Span]) -> list[TimedWord]:
        start_ms, end_ms = spoken.heard.start_ms, spoken.heard.end_ms
        whole = [Span(start_ms=start_ms, end_ms=max(end_ms, start_ms + 1))]
        return spread_words(split_words(spoken.text, self._written), room or whole, self._written)

    def _attend(
        self, batch: Sequence[SpokenText], _check: Callable[[], None] | None = None
    ) -> list[list[AttendedPiece]]:
        """Return for each text when the decoder attended to its pieces; no pieces where it cannot tell."""
        model = self.film.whisper.model
        tokens = tokenizer(model, self.language, self.task)
        lead = "" if self._written in UNSPACED else " "
        ids = [tokens.encode(lead + spoken.text.strip()) for spoken in batch]
        able = [
            index
            for index, spoken in enumerate(batch)
            if spoken.heard.end_ms - spoken.heard.start_ms <= WINDOW_MS
            and 0 < len(ids[index]) <= _MOST_TOKENS
        ]
        found: list[list[AttendedPiece]] = [[] for _ in batch]
        if not able:
            return found
        spans = [batch[index].heard for index in able]
        frames = [max(2, self.film.sound.count_between(span) // _SAMPLES_PER_FRAME) for span in spans]
        aligned = model.find_alignment(
            tokens, [ids[index] for index in able], self.film.encode(spans), frames
        )
        for index, pieces in zip(able, aligned, strict=True):
            found[index] = [_attended(piece, batch[index].heard.start_ms) for piece in pieces]
        return found


def _attended(piece: Any, offset_ms: int) -> AttendedPiece:
    offset_ms += LAG_MS
    return AttendedPiece(
        text=piece["word"],
        start_ms=offset_ms + round(float(piece["start"]) * 1000),
        end_ms=offset_ms + round(float(piece["end"]) * 1000),
        probability=float(piece["probability"]),
    )
