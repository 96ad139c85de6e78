"""A transcript translated by any engine that takes texts and gives texts: the shell around its one call.

Segments are joined to sentences, each different sentence is translated once, all in one call of the engine,
which batches them as suits its model; the translations are marked where they are doubtful and laid over the
time in which their sentences were spoken.

What a viewer sees of a doubtful sentence: its text, as the engine gave it, marked in the transcript and
counted in the result. Of an empty one nothing: its segment keeps the time and the mark and has no words, so
no subtitle stands there; the source's text in its place would pass for a translation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocol.errors import BugError
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Transcript
from workers.engine import Context
from workers.text.marking import EMPTY, marks_of
from workers.text.pieces import clean
from workers.text.sentences import Sentence, join_sentences
from workers.text.spreading import spread
from workers.text.transcripts import publish, read
from workers.text.writing import is_punctuation

__all__ = ["Translate", "translate_transcript"]

Translate = Callable[[Sequence[str], Callable[[float], None]], list[str]]
"""Texts and a callback for progress (0 to 1; it raises `CancelledError`) to their translations, in order."""


@dataclass(frozen=True, kw_only=True)
class _Pair:
    source: str
    target: str
    script: str


def translate_transcript(
    request: TranslateRequest, context: Context, engine: str, translate: Translate
) -> TranslateResult:
    """Write `transcript.<target>.json`, a segment a sentence, and return it with the counts of its marks.

    `translate` is called once, with every different sentence; not at all where nothing is said. What has
    nothing to be spoken in it (`…`, `♪`) goes through as it is. Raises `InputError` where the transcript
    cannot be read, `BugError` where the engine gives back another number of texts.
    """
    pair = _Pair(source=request.source_language, target=request.target_language, script=request.target_script)
    sentences = join_sentences(read(context, request.transcript).segments, pair.source)
    meanings = _translated(sentences, context, translate)
    segments = tuple(
        _segment(sentence, meanings.get(sentence.text, sentence.text), pair) for sentence in sentences
    )
    transcript = Transcript(
        language=pair.target,
        segments=segments,
        translated_from=pair.source,
        engine=engine,
        model=request.model,
    )
    return TranslateResult(
        transcript=publish(context, f"transcript.{pair.target}.json", transcript),
        segment_count=len(segments),
        model=request.model,
        engine=engine,
        marks=dict(Counter(mark for segment in segments for mark in segment.marks)),
    )


def _translated(sentences: Sequence[Sentence], context: Context, translate: Translate) -> dict[str, str]:
    """Return the translation of every different text that has something to be spoken in it."""
    texts = list(dict.fromkeys(sentence.text for sentence in sentences if not is_punctuation(sentence.text)))
    if not texts:
        return {}

    def progress(fraction: float) -> None:
        context.progress(fraction, "translating")

    progress(0.0)
    found = translate(texts, progress)
    if len(found) != len(texts):
        message = f"The engine gave {len(found)} translations of {len(texts)} sentences."
        raise BugError(message)
    return dict(zip(texts, found, strict=True))


def _segment(sentence: Sentence, meaning: str, pair: _Pair) -> Segment:
    text = clean(meaning)
    marks = marks_of(sentence.text, text, pair.source, pair.target, pair.script)
    if EMPTY in marks:
        text = ""
    return Segment(
        start_ms=sentence.start_ms,
        end_ms=sentence.end_ms,
        text=text,
        words=spread(text, sentence, pair.target),
        marks=marks,
    )
