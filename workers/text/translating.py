"""Translates a transcript with an engine that only knows texts.

Cues become whole sentences. The engine gets every different sentence once, all in one call, and makes
the batches itself. Rules mend what is sure: the separators of numbers, addresses, notes, dashes. What is
doubtful then is tried again in another way, and the better text is kept; what is doubtful still is marked.
The words of a translation share the time in which its sentence was spoken.

A viewer sees the text of a doubtful sentence as the engine gave it; the transcript marks it, and the result
counts it. Of an empty translation a viewer sees nothing: its segment has the time and the mark, and no words.
The text of the source in its place would look like a translation.

Of a film in several languages each stretch is translated from its own. What is in the target's language
already stays; what the engine cannot translate stays, too, is marked, and a note says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from protocol.errors import BugError, InputError, MissingError, UsageError
from protocol.languages import language_name
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.subtitles.doubts import EMPTY, UNTRANSLATED
from protocol.timeline import Segment, Transcript
from workers.engine import Context
from workers.text.checks.marking import marks_of
from workers.text.checks.mending import mended, plainer
from workers.text.glossary.checking import mark_terms
from workers.text.glossary.protecting import protecting
from workers.text.pieces import clean
from workers.text.sentences import Sentence, join_sentences
from workers.text.spreading import spread
from workers.text.transcripts import publish, read
from workers.text.writing import is_punctuation

__all__ = [
    "Meaning",
    "Meanings",
    "Tell",
    "Translate",
    "Ways",
    "WaysOf",
    "meaning_of",
    "result_of",
    "translate_sentences",
    "translate_transcript",
]

Translate = Callable[[Sequence[str], Callable[[float], None]], list[str]]
"""Takes texts and a callback for progress (0 to 1; it may raise `CancelledError`), and returns the
translations in order."""
Ways = tuple[Translate, Translate | None]
"""How texts are translated, and how those that are doubtful then are; None: the engine knows no other way."""
WaysOf = Callable[[TranslateRequest], Ways]
"""The ways for a request from another language; raises where the engine or model does not have the pair."""
Tell = Callable[[float, str], None]
"""Takes how far a call is, 0 to 1, and what it does; may raise `CancelledError`."""
_FIRST_SHARE = 0.9
"""The part of a call's progress that the first try is."""
_AGAIN_SHARE = 0.25
_AGAIN_LEAST = 12
"""At most this share of a film's different sentences is tried again, or so many: where more are doubtful, the
model does not know the language, and another way would not help."""


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A translation of a text: what is doubtful about it, and how it came about."""

    text: str
    marks: tuple[str, ...] = ()
    again: bool = False
    """It is what the second try gave."""
    retried: bool = False
    """There was a second try."""
    left: bool = False
    """The engine has none: the next translator is asked."""


Meanings = Callable[[Sequence[Sentence], TranslateRequest, Tell], Sequence[Meaning]]
"""Translates sentences of the request's source language, which follow each other in a film: one meaning for
each. Raises where the engine or model does not have the pair."""


def translate_transcript(
    request: TranslateRequest,
    context: Context,
    engine: str,
    translate: Translate,
    again: Translate | None = None,
    ways_of: WaysOf | None = None,
) -> TranslateResult:
    """Write `transcript.<target>.json`, one segment for each sentence; return it and the counts of its marks.

    `translate` is called once with every different sentence (and again where a term of the glossary is
    lacking, `workers.text.glossary.protecting`), and not at all where nobody speaks. A text
    without words (`…`, `♪`) stays as it is. `again` is called once with the sentences that are doubtful, up
    to a quarter of all, and translates them in another way; an engine that knows no other way has None, and
    then gets only those that can be written in a plainer way. `ways_of` is asked for the ways of every other
    language that is spoken; None: the engine has none. Raises `InputError` where the transcript cannot
    be read, `BugError` where the engine returns another number of texts.
    """

    def ways(asked: TranslateRequest) -> Ways:
        if asked.source_language == request.source_language:
            return translate, again
        if ways_of is None:
            message = f"{engine} translates from one language in a film."
            raise InputError(message)
        return ways_of(asked)

    def meanings(sentences: Sequence[Sentence], asked: TranslateRequest, tell: Tell) -> Sequence[Meaning]:
        found = _meanings(sentences, asked, tell, ways(asked))
        return [found.get(sentence.text) or Meaning(text=clean(sentence.text)) for sentence in sentences]

    return translate_sentences(request, context, engine, meanings)


def translate_sentences(
    request: TranslateRequest, context: Context, engine: str, meanings: Meanings
) -> TranslateResult:
    """Write `transcript.<target>.json`, one segment for each sentence; return it and the counts of its marks.

    `meanings` is called once for each language that is spoken, with its sentences as they follow each other;
    what is in the target's language stays. Sentences that the request's draft has translated stay as they are
    there, and are not asked for. Where `meanings` leaves some to the next translator, these are marked
    `untranslated` and have no text, and the file is `draft.<target>.json`.

    Raises `InputError` where a transcript cannot be read.
    """
    source = read(context, request.transcript)
    draft = _Draft(read(context, request.draft).segments if request.draft else ())
    runs = [
        _Stretch(language, join_sentences(said, language), said, draft)
        for language, said in _runs(source, request)
    ]
    parts, notes = _translated(runs, request, context, meanings)
    segments: list[Segment] = []
    for run in runs:
        segments += run.segments(parts.get(run.language), request, engine, source.engine)
    sentences = {(one.start_ms, one.end_ms): one.text for run in runs for one in run.sentences}
    segments, told = mark_terms(segments, sentences, request)
    transcript = Transcript(
        language=request.target_language,
        segments=tuple(segments),
        translated_from=request.source_language,
        engine=engine,
        model=request.model,
        speakers=source.speakers,
    )
    made = [meaning for part in parts.values() for meaning in part.values()]
    retried, left = sum(meaning.retried for meaning in made), sum(meaning.left for meaning in made)
    # What is left to the next translator is counted by that one.
    told = () if left else told
    return replace(result_of(request, context, transcript, retried, left), notes=(*notes, *told))


def _runs(source: Transcript, request: TranslateRequest) -> list[tuple[str, tuple[Segment, ...]]]:
    return [
        (language, tuple(segments))
        for language, segments in groupby(
            source.segments, key=lambda segment: segment.language or request.source_language
        )
    ] or [(request.source_language, ())]


class _Draft:
    """What another translator has done: a segment for each sentence that has the sentence's times."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._done: dict[tuple[int, int], list[Segment]] = {}
        for segment in reversed(segments):
            if UNTRANSLATED not in segment.marks:
                self._done.setdefault((segment.start_ms, segment.end_ms), []).append(segment)

    def take(self, sentence: Sentence) -> Segment | None:
        """Return the sentence's segment; None where it has still to be translated."""
        found = self._done.get((sentence.start_ms, sentence.end_ms))
        return found.pop() if found else None


class _Stretch:
    """What is said in one language without a break, and what the draft has of it."""

    def __init__(
        self, language: str, sentences: Sequence[Sentence], said: Sequence[Segment], draft: _Draft
    ) -> None:
        self.language = language
        self._said = said
        self.sentences = sentences
        self._drafted = [(sentence, draft.take(sentence)) for sentence in sentences]
        self.todo = [sentence for sentence, segment in self._drafted if segment is None]

    def segments(
        self,
        part: Mapping[int, Meaning] | None,
        request: TranslateRequest,
        engine: str,
        heard_by: str,
    ) -> list[Segment]:
        """Return a segment for each sentence: the draft's, or its meaning, which `part` has by its identity.

        Without `part` nobody translates the language: what the draft does not have stays as it was said.
        """
        if part is None and len(self.todo) == len(self._drafted):
            return _kept(self._said, self.language, request, heard_by)
        found = []
        for sentence, segment in self._drafted:
            if segment is not None:
                found.append(segment)
            elif part is not None:
                found.append(_segment(sentence, part[id(sentence)], request.target_language, engine))
            else:
                said = Segment(
                    start_ms=sentence.start_ms,
                    end_ms=sentence.end_ms,
                    text=sentence.text,
                    words=sentence.words,
                )
                found += _kept((said,), self.language, request, heard_by)
        return found


def _translated(
    runs: Sequence[_Stretch], request: TranslateRequest, context: Context, meanings: Meanings
) -> tuple[dict[str, dict[int, Meaning]], tuple[str, ...]]:
    """Return the meanings by language and sentence, and what is to be said of languages without any."""
    spoken = dict.fromkeys(run.language for run in runs)
    if request.source_language != request.target_language:
        # A film that is in the target's language is refused by its engine.
        spoken.pop(request.target_language, None)
    found: dict[str, dict[int, Meaning]] = {}
    notes: list[str] = []
    for place, language in enumerate(spoken):
        sentences = [sentence for run in runs if run.language == language for sentence in run.todo]
        asked = request
        if language != request.source_language:
            asked = replace(request, source_language=language, source_script="")

        def tell(share: float, note: str, place: int = place) -> None:
            context.progress((place + share) / len(spoken), note)

        try:
            made = meanings(sentences, asked, tell)
        except (InputError, MissingError, UsageError) as error:
            if language == request.source_language:
                raise
            if sentences:
                notes.append(f"{language_name(language)} is not translated: {error.message.rstrip('.')}")
            continue
        found[language] = {id(sentence): meaning for sentence, meaning in zip(sentences, made, strict=True)}
    return found, tuple(notes)


def _kept(said: Sequence[Segment], language: str, request: TranslateRequest, engine: str) -> list[Segment]:
    """Return what is in the target's language, or cannot be translated: that is marked.

    `engine` is what heard it: no translator wrote it.
    """
    own, marks = ("", ()) if language == request.target_language else (language, (UNTRANSLATED,))
    return [replace(segment, language=own, marks=marks, engine=engine) for segment in said]


def result_of(
    request: TranslateRequest, context: Context, transcript: Transcript, retried: int, left: int = 0
) -> TranslateResult:
    """Write the translation as `transcript.<target>.json`; return it and the counts of its marks.

    With sentences that are left to the next translator it is `draft.<target>.json`.
    """
    segments = transcript.segments
    name = "draft" if left else "transcript"
    return TranslateResult(
        transcript=publish(context, f"{name}.{transcript.language}.json", transcript),
        segment_count=len(segments),
        model=request.model,
        engine=transcript.engine,
        marks=dict(Counter(mark for segment in segments for mark in segment.marks)),
        doubted=sum(bool(segment.marks) for segment in segments),
        retried=retried,
        left=left,
    )


def _meanings(
    sentences: Sequence[Sentence],
    request: TranslateRequest,
    tell: Tell,
    ways: Ways,
) -> dict[str, Meaning]:
    """Return the translation of every different text that has words."""
    texts = list(dict.fromkeys(sentence.text for sentence in sentences if not is_punctuation(sentence.text)))
    translate, again = protecting(ways[0], request), ways[1] and protecting(ways[1], request)

    def progress(fraction: float) -> None:
        tell(fraction * _FIRST_SHARE, "translating")

    def progress_again(fraction: float) -> None:
        tell(_FIRST_SHARE + fraction * (1 - _FIRST_SHARE), "translating doubtful sentences again")

    found = _judged(texts, _asked(translate, texts, progress), request)
    if not request.retry:
        return found
    doubtful = [text for text in texts if found[text].marks and (again or plainer(text) != text)]
    most = max(_AGAIN_LEAST, round(_AGAIN_SHARE * len(texts)))
    questions = {text: plainer(text) for text in doubtful[:most]}
    others = _asked(again or translate, list(questions.values()), progress_again)
    for text, second in _judged(list(questions), others, request).items():
        better = len(second.marks) < len(found[text].marks)
        kept = second if better else found[text]
        found[text] = Meaning(text=kept.text, marks=kept.marks, again=better, retried=True)
    return found


def _asked(translate: Translate, texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
    if not texts:
        return []
    progress(0.0)
    found = translate(texts, progress)
    if len(found) != len(texts):
        message = f"The engine returned {len(found)} translations of {len(texts)} sentences."
        raise BugError(message)
    return found


def _judged(texts: Sequence[str], found: Sequence[str], request: TranslateRequest) -> dict[str, Meaning]:
    """Return the translations, mended, with their marks."""
    pairs = zip(texts, found, strict=True)
    return {text: meaning_of(text, translation, request) for text, translation in pairs}


def meaning_of(text: str, translation: str, request: TranslateRequest) -> Meaning:
    """Return what an engine gave for a text, mended, with its marks."""
    source, target = request.source_language, request.target_language
    meaning = mended(text, clean(translation), source, target)
    marks = marks_of(text, meaning, source, target, request.target_script)
    return Meaning(text="" if EMPTY in marks else meaning, marks=marks)


def _segment(sentence: Sentence, meaning: Meaning, language: str, engine: str) -> Segment:
    return Segment(
        start_ms=sentence.start_ms,
        end_ms=sentence.end_ms,
        text=meaning.text,
        words=tuple(
            replace(word, speaker=sentence.speaker) for word in spread(meaning.text, sentence, language)
        ),
        marks=meaning.marks,
        engine=engine,
        again=meaning.again,
    )
