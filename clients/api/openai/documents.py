"""Answers in OpenAI's forms. Pure.

Every field that the clients' types name is there: some clients are strict.
Source of the forms: openai-python, `types/audio/`; compression_ratio as in openai/whisper, `utils.py`.
"""

from __future__ import annotations

import math
import zlib
from typing import Any

from clients.api.openai.speakers import said_by
from clients.api.speech.found import Found, name_of_language
from protocol.timeline import Segment

__all__ = ["diarized_document", "json_document", "segment_documents", "verbose_document"]


def json_document(found: Found) -> dict[str, Any]:
    """Return the short answer."""
    return {"text": found.text, "usage": _usage(found)}


def verbose_document(found: Found, task: str, *, words: bool, segments: bool) -> dict[str, Any]:
    """Return the long answer. `words` alone gives no segments, as at OpenAI."""
    document: dict[str, Any] = {
        "task": task,
        "language": name_of_language(found.heard),
        "duration": found.duration_s,
        "text": found.text,
    }
    if segments:
        document["segments"] = segment_documents(found)
    if words:
        document["words"] = [
            {"word": word.text.strip(), "start": word.start_ms / 1000, "end": word.end_ms / 1000}
            for word in found.words
        ]
    return {**document, "usage": _usage(found)}


def diarized_document(found: Found) -> dict[str, Any]:
    """Return the answer that says who speaks."""
    return {
        "task": "transcribe",
        "duration": found.duration_s,
        "text": found.text,
        "segments": said_by(found.transcript),
        "usage": _usage(found),
    }


def segment_documents(found: Found) -> list[dict[str, Any]]:
    """Return the segments; what the recogniser did not say of one is 0."""
    return [_segment(number, segment) for number, segment in enumerate(found.segments)]


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": segment.start_ms // 10,
        "start": segment.start_ms / 1000,
        "end": segment.end_ms / 1000,
        "text": segment.text,
        "tokens": [],
        "temperature": 0.0,
        "avg_logprob": segment.avg_logprob if segment.avg_logprob is not None else 0.0,
        "compression_ratio": _compression_ratio(segment.text),
        "no_speech_prob": segment.no_speech if segment.no_speech is not None else 0.0,
    }


def _compression_ratio(text: str) -> float:
    written = text.encode()
    return round(len(written) / len(zlib.compress(written)), 4)


def _usage(found: Found) -> dict[str, Any]:
    return {"type": "duration", "seconds": math.ceil(found.duration_s)}
