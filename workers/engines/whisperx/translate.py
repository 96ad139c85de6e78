"""translate: Whisper's own translation of speech into English, timed by its cross-attention.

Each chunk that has a doubtful sentence is heard again, one sentence of the source at a time: Whisper then has
less context, but cannot lose its place. Of the two translations of the chunk the less doubtful one is kept.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.errors import InputError, MissingError
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.subtitles.doubts import IMPROBABLE
from protocol.timeline import Segment, Span, Transcript
from workers.engine import Context, Models
from workers.engines.whisperx.align import BEFORE_MS
from workers.engines.whisperx.attention import SpokenText, WordTimer
from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.models import batch_size_of, choose_placement, load_whisper, warm_up
from workers.engines.whisperx.recognising import WhisperxRecogniser
from workers.engines.whisperx.transcripts import to_segments
from workers.speech.doubting import SpokenSource, marked
from workers.speech.judging import Guess, same_words
from workers.speech.recognising import segment_of
from workers.speech.sound import Sound
from workers.speech.spans import Chunk, pack, widen, within
from workers.speech.whisper import WINDOW_MS, Heard, RecognitionOptions, recognise
from workers.text.drafts import left_of, with_draft
from workers.text.speakers import like_source
from workers.text.transcripts import read, runs_of, speech_of
from workers.text.translating import result_of

__all__ = ["ENGINE", "Passage", "WhisperTranslate", "chunks_of", "refuse_untranslatable"]

_ENGLISH = "en"
ENGINE = "whisper"
_BEAMS = 5
_WIDER = 2
"""The search for a text again has so many times the beams."""
_RECOGNISED_SHARE = 0.8
"""The part of a call's time that recognising takes, for progress."""
_SAME_FROM_WORDS = 4
"""A text of this many words that comes back unchanged is no translation; a shorter one may be a name."""


class WhisperTranslate:
    """Translates speech into English."""

    stage = "translate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Load the model, which the stage asr uses too, and put some silence through it."""
        if model is not None:
            warm_up(load_whisper(models, model, choose_placement("auto", "auto")))

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write `transcript.en.json`: English sentences with words, inside the film's speech.

        Raises `InputError` where the target is not English, where the source is English, and where the model
        only repeats the source; `MissingError` where the store does not have the model, or it cannot
        translate.
        """
        refuse_untranslatable(request)
        where = choose_placement(request.device, request.compute_type)
        whisper = load_whisper(context.models, request.model, where)
        if not whisper.model.model.is_multilingual:
            message = f"The model {request.model} knows English only and cannot translate."
            raise MissingError(message, "Name a multilingual model, such as whisper-base.")
        source = read(context, request.transcript)
        draft = read(context, request.draft) if request.draft else None
        source = left_of(source, draft) if draft else source
        segments: list[Segment] = []
        retried = 0
        if source.segments:
            with Sound(context.input(request.audio)) as sound:
                film = EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256)
                recogniser = WhisperxRecogniser(
                    film=film, batch_size=batch_size_of(request.batch_size, where)
                )
                segments, retried = _in_runs(request, context, recogniser, source)
        translated = Transcript(
            language=_ENGLISH,
            segments=tuple(segments),
            translated_from=request.source_language,
            engine=ENGINE,
            model=request.model,
        )
        translated = like_source(translated, source)
        return result_of(request, context, with_draft(translated, draft) if draft else translated, retried)


def refuse_untranslatable(request: TranslateRequest) -> None:
    """Raise `InputError` for languages and `MissingError` for models with which Whisper cannot translate."""
    if request.target_language != _ENGLISH:
        message = f"Whisper translates into English only, not into {request.target_language!r}."
        raise InputError(message, "Translate with another environment, or into en.")
    if request.source_language == _ENGLISH:
        message = "The film is in English: there is nothing to translate."
        raise InputError(message)
    if "turbo" in request.model or request.model.endswith(".en"):
        message = f"The model {request.model} was not trained to translate."
        raise MissingError(message, "Name another one, such as whisper-base or whisper-large-v3.")


def chunks_of(source: Transcript, speech: Sequence[Span], whole: Span) -> list[Chunk]:
    """Return the sentences of the source as chunks of up to 30 s: with context Whisper translates better.

    Speech in which the source has no sentence is left out. `whole` is the time of the whole film.
    """
    spoken = [
        span for segment in source.segments for span in within(speech, segment.start_ms, segment.end_ms)
    ] or [Span(start_ms=segment.start_ms, end_ms=segment.end_ms) for segment in source.segments]
    fitting = [span for span in spoken if 0 < span.end_ms - span.start_ms <= WINDOW_MS]
    return pack(sorted(fitting, key=lambda span: span.start_ms), WINDOW_MS, whole)


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A chunk, and the sentences that it was translated to."""

    chunk: Chunk
    sentences: Sequence[Segment]

    @property
    def doubt(self) -> tuple[float, float, float]:
        """Return how doubtful it is; infinite where nothing was heard.

        First the part of its letters that has a mark for what was written, then for anything, then how
        improbable it is: Whisper is sure of its loops.
        """
        letters = sum(len(sentence.text) for sentence in self.sentences)
        if not letters:
            return math.inf, 0.0, 0.0
        wrong = sum(len(part.text) for part in self.sentences if {*part.marks} - {IMPROBABLE})
        doubted = sum(len(part.text) for part in self.sentences if part.marks)
        chances = sum((part.avg_logprob or 0.0) * len(part.text) for part in self.sentences)
        return wrong / letters, doubted / letters, -chances / letters


def _in_runs(
    request: TranslateRequest, context: Context, recogniser: WhisperxRecogniser, source: Transcript
) -> tuple[list[Segment], int]:
    """Return the English sentences, and how many of them were tried again; what is in English stays.

    A stretch in another language than the film's is heard for itself, in its own.
    """
    speech = speech_of(source, request.speech)
    runs = runs_of(replace(source, language=request.source_language))
    found: list[Segment] = []
    retried = 0
    for place, (language, said) in enumerate(runs):
        if language == _ENGLISH:
            found += [replace(segment, language="", marks=(), engine=source.engine) for segment in said]
            continue
        translation = _Translation(
            request=replace(request, source_language=language),
            context=context,
            recogniser=recogniser,
            source=replace(source, segments=tuple(said)),
            speech=speech,
            before=place / len(runs),
            share=1 / len(runs),
        )
        sentences, again = translation.made()
        found += sentences
        retried += again
    return found, retried


@dataclass(frozen=True, kw_only=True)
class _Translation:
    """The translation of one film, or of a stretch of it in one language."""

    request: TranslateRequest
    context: Context
    recogniser: WhisperxRecogniser
    source: Transcript
    speech: Sequence[Span]
    before: float = 0.0
    """The part of the call's progress that is done ..."""
    share: float = 1.0
    """... and the part that this is."""

    def _tell(self, done: float, note: str) -> None:
        self.context.progress(self.before + done * self.share, note)

    def made(self) -> tuple[list[Segment], int]:
        """Return the sentences with marks, and how many of them were doubtful at first and tried again."""
        recogniser = self.recogniser
        wide = widen(self.speech, BEFORE_MS, 0, recogniser.sound.duration_ms)
        chunks = chunks_of(self.source, wide, recogniser.sound.whole)
        heard = self._heard(chunks, self._options(1), 0.0)
        said = [part for part in heard if part.guess.text]
        if self.share == 1.0:
            _refuse_repetition(self.source, [part.guess for part in said])
        first = self._passages(said, wide, again=False)
        doubtful = [place for place, passage in enumerate(first) if _is_doubtful(passage)]
        doubtful = doubtful if self.request.retry else []
        second = self._heard_again([first[place].chunk for place in doubtful], wide)
        kept = list(first)
        for place, passage in zip(doubtful, second, strict=True):
            kept[place] = min(first[place], passage, key=lambda passage: passage.doubt)
        retried = sum(len(kept[place].sentences) for place in doubtful)
        return [sentence for passage in kept for sentence in passage.sentences], retried

    def _options(self, wider: int) -> RecognitionOptions:
        beams = (self.request.beam_size or _BEAMS) * wider
        return RecognitionOptions(language=self.request.source_language, task="translate", beam_size=beams)

    def _heard(self, chunks: Sequence[Chunk], options: RecognitionOptions, done: float) -> list[Heard]:
        def progress(share: float) -> None:
            self._tell((done + share * _RECOGNISED_SHARE) / 2, "translating")

        return list(recognise(self.recogniser, chunks, options, progress))

    def _heard_again(self, chunks: Sequence[Chunk], wide: Sequence[Span]) -> list[Passage]:
        """Return each chunk translated by its sentences, which are heard one by one."""
        whole = self.recogniser.sound.whole
        pieces = [
            piece
            for chunk in chunks
            for sentence in self._said_in(chunk)
            for piece in pack(within(wide, sentence.start_ms, sentence.end_ms), WINDOW_MS, whole)
            if within(chunk.spans, piece.start_ms, piece.end_ms)
        ]
        if not pieces:
            return [Passage(chunk=chunk, sentences=()) for chunk in chunks]
        heard = [part for part in self._heard(pieces, self._options(_WIDER), 1.0) if part.guess.text]
        parts = self._passages(heard, wide, again=True)
        return [
            Passage(
                chunk=chunk,
                sentences=[
                    sentence
                    for part in parts
                    if chunk.start_ms <= part.chunk.start_ms < chunk.end_ms
                    for sentence in part.sentences
                ],
            )
            for chunk in chunks
        ]

    def _passages(self, said: Sequence[Heard], wide: Sequence[Span], *, again: bool) -> list[Passage]:
        """Return the words of each chunk with their times, cut to sentences, and what is doubtful."""

        def progress(share: float) -> None:
            done = again + _RECOGNISED_SHARE + share * (1 - _RECOGNISED_SHARE)
            self._tell(done / 2, "timing the translation")

        timer = WordTimer(
            film=self.recogniser.film,
            language=self.request.source_language,
            task="translate",
            batch_size=self.recogniser.batch_size,
        )
        texts = [SpokenText(text=heard.guess.text, heard=heard.chunk.heard) for heard in said]
        found: list[Passage] = []
        before = ""
        for heard, (words, timed_by) in zip(said, timer.time(texts, wide, progress), strict=True):
            made = replace(segment_of(heard), no_speech=None, engine=ENGINE, again=again)
            source = SpokenSource(
                language=self.request.source_language,
                segments=self._said_in(heard.chunk),
                speech=self.request.speech,
            )
            sentences = marked(to_segments(made, words, timed_by, _ENGLISH), source, before)
            found.append(Passage(chunk=heard.chunk, sentences=sentences))
            before = sentences[-1].text if sentences else before
        return found

    def _said_in(self, chunk: Chunk) -> tuple[Segment, ...]:
        """Return the sentences of the source whose middle is in the chunk."""
        return tuple(
            segment
            for segment in self.source.segments
            if chunk.start_ms <= (segment.start_ms + segment.end_ms) // 2 <= chunk.end_ms
        )


def _is_doubtful(passage: Passage) -> bool:
    return any(sentence.marks for sentence in passage.sentences)


def _refuse_repetition(source: Transcript, guesses: Sequence[Guess]) -> None:
    text = " ".join(guess.text for guess in guesses)
    original = " ".join(segment.text for segment in source.segments)
    if len(text.split()) >= _SAME_FROM_WORDS and same_words(text, original):
        message = "The model gave the source text back instead of a translation."
        raise InputError(message, "Name a larger model.")
