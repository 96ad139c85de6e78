"""Hears again the stretches of speech in which no word was heard."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from protocol.timeline import Span
from workers.engines.whisperx.attention import SpokenText, WordTimer
from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.recognising import WhisperxRecogniser
from workers.lanes import batches_for, side_by_side
from workers.speech.fitting import fit
from workers.speech.spans import Chunk, pack
from workers.speech.unheard import LONGEST_GAP_MS, Filling, Gap, fill, find_gaps
from workers.speech.whisper import Decoding, Heard, RecognitionOptions
from workers.speech.word_times import TimedWord

__all__ = ["SecondHearing"]

_ROUNDS = 4
"""What is left of a gap is heard again, at most so often."""


@dataclass(frozen=True, kw_only=True)
class SecondHearing:
    """One Whisper model on the gaps of one film."""

    film: EncodedFilm
    language: str
    batch_size: int

    def fillings(
        self, words: Sequence[TimedWord], speech: Sequence[Span], tick: Callable[[], None]
    ) -> list[Filling]:
        """Return what is said where `speech` has no word, in order; `words` are in order.

        `tick` is called while Whisper hears, and may raise.
        """
        found: list[Filling] = []
        tried: set[Span] = set()
        for _ in range(_ROUNDS):
            gaps = [gap for gap in find_gaps(words, speech) if gap.span not in tried]
            tried.update(gap.span for gap in gaps)
            new = self._hear([part for gap in gaps for part in self._parts(gap)], tick)
            if not new:
                break
            found += new
            gone = {filling.instead_of for filling in found}
            left = [word for word in words if word not in gone]
            added = [word for filling in new for word in filling.words]
            words = sorted([*left, *added], key=lambda word: word.start_ms)
        return sorted(found, key=lambda filling: filling.words[0].start_ms)

    def _parts(self, gap: Gap) -> list[Gap]:
        """Return the gap cut where it is quietest, so that no part is too long."""
        return gap.cut(fit([gap.span], self.film.sound, LONGEST_GAP_MS))

    def _hear(self, gaps: Sequence[Gap], tick: Callable[[], None]) -> list[Filling]:
        chunks = pack((gap.span for gap in gaps), LONGEST_GAP_MS, self.film.sound.whole)
        heard = [one for one in self._decode(chunks, tick) if one.guess.text]
        texts = [SpokenText(text=one.guess.text, heard=one.chunk.heard) for one in heard]
        timer = WordTimer(film=self.film, language=self.language, batch_size=self.batch_size)
        timed = timer.time(texts, (), lambda _share: tick())
        by_span = {gap.span: gap for gap in gaps}
        fillings = (
            fill(by_span[span], one.guess, words, self.language)
            for one, (words, _) in zip(heard, timed, strict=True)
            for span in one.chunk.spans
        )
        return [filling for filling in fillings if filling is not None]

    def _decode(self, chunks: Sequence[Chunk], tick: Callable[[], None]) -> Iterator[Heard]:
        """Yield what is said in each; what is doubtful is not tried in other ways, as it is not taken in."""
        recogniser = WhisperxRecogniser(film=self.film, batch_size=self.batch_size)
        options = RecognitionOptions(language=self.language)

        def hear(batch: Sequence[Chunk], _check: Callable[[], None]) -> list[Heard]:
            return recogniser.decode(batch, options, Decoding())

        batches = batches_for(chunks, self.batch_size, recogniser.lanes)
        done = side_by_side(hear, batches, recogniser.lanes, lambda _done: tick(), recogniser.lanes_now)
        return itertools.chain.from_iterable(done)
