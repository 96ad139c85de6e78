"""What a draft has left, for an engine that translates by hearing. Pure.

Engines that read texts go on from a draft in `translating.translate_sentences`.
"""

from __future__ import annotations

from dataclasses import replace

from protocol.subtitles.doubts import UNTRANSLATED
from protocol.timeline import Segment, Transcript
from workers.text.sentences import join_sentences
from workers.text.transcripts import runs_of

__all__ = ["left_of", "with_draft"]


def left_of(source: Transcript, draft: Transcript) -> Transcript:
    """Return the source with those sentences alone that the draft has left, a segment for each.

    A draft has a segment for each sentence of its source, with the sentence's times.
    """
    left = {(segment.start_ms, segment.end_ms) for segment in draft.segments if UNTRANSLATED in segment.marks}
    segments = tuple(
        Segment(
            start_ms=sentence.start_ms,
            end_ms=sentence.end_ms,
            text=sentence.text,
            words=sentence.words,
            language=said[0].language,
        )
        for language, said in runs_of(source)
        for sentence in join_sentences(said, language)
        if (sentence.start_ms, sentence.end_ms) in left
    )
    return replace(source, segments=segments)


def with_draft(translation: Transcript, draft: Transcript) -> Transcript:
    """Return the draft with the translation in the place of what it had left."""
    done = [segment for segment in draft.segments if UNTRANSLATED not in segment.marks]
    both = sorted((*done, *translation.segments), key=lambda segment: segment.start_ms)
    return replace(translation, segments=tuple(both))
