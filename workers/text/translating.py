"""Translates a transcript with any engine that takes texts and returns texts.

Segments are joined to sentences. The engine gets every different sentence once, all in one call, and makes
the batches itself. Doubtful translations are marked. The words of a translation share the time in which its
sentence was spoken.

A viewer sees the text of a doubtful sentence as the engine gave it; the transcript marks it, and the result
counts it. Of an empty translation a viewer sees nothing: its segment has the time and the mark, and no words.
The text of the source in its place would look like a translation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

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
"""Takes texts and a callback for progress (0 to 1; it may raise `CancelledError`), and returns the
translations in order."""


def translate_transcript(
    request: TranslateRequest, context: Context, engine: str, translate: Translate
) -> TranslateResult:
    """Write `transcript.<target>.json`, one segment for each sentence; return it and the counts of its marks.

    `translate` is called once with every different sentence, and not at all where nobody speaks. A text
    without words (`…`, `♪`) stays as it is. Raises `InputError` where the transcript cannot be read,
    `BugError` where the engine returns another number of texts.
    """
    source, target = request.source_language, request.target_language
    sentences = join_sentences(read(context, request.transcript).segments, source)
    meanings = _translated(sentences, context, translate)
    segments = tuple(
        _segment(sentence, meanings.get(sentence.text, sentence.text), request) for sentence in sentences
    )
    transcript = Transcript(
        language=target,
        segments=segments,
        translated_from=source,
        engine=engine,
        model=request.model,
    )
    return TranslateResult(
        transcript=publish(context, f"transcript.{target}.json", transcript),
        segment_count=len(segments),
        model=request.model,
        engine=engine,
        marks=dict(Counter(mark for segment in segments for mark in segment.marks)),
    )


def _translated(sentences: Sequence[Sentence], context: Context, translate: Translate) -> dict[str, str]:
    """Return the translation of every different text that has words."""
    texts = list(dict.fromkeys(sentence.text for sentence in sentences if not is_punctuation(sentence.text)))
    if not texts:
        return {}

    def progress(fraction: float) -> None:
        context.progress(fraction, "translating")

    progress(0.0)
    found = translate(texts, progress)
    if len(found) != len(texts):
        message = f"The engine returned {len(found)} translations of {len(texts)} sentences."
        raise BugError(message)
    return dict(zip(texts, found, strict=True))


def _segment(sentence: Sentence, meaning: str, request: TranslateRequest) -> Segment:
    text, target = clean(meaning), request.target_language
    marks = marks_of(sentence.text, text, request.source_language, target, request.target_script)
    if EMPTY in marks:
        text = ""
    return Segment(
        start_ms=sentence.start_ms,
        end_ms=sentence.end_ms,
        text=text,
        words=spread(text, sentence, target),
        marks=marks,
    )
