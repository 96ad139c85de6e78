"""Transcripts as files: read from a call's input, written and published as its output."""

from __future__ import annotations

import json
from pathlib import Path

from protocol.artefacts import Artefact, write_json
from protocol.errors import InputError, SchemaError
from protocol.schema import from_plain, to_plain
from protocol.timeline import Span, Transcript
from workers.engine import Context

__all__ = ["publish", "read", "read_file", "speech_of"]


def read(context: Context, artefact: Artefact) -> Transcript:
    """Return the transcript in the file; `InputError` where it is none."""
    return read_file(context.input(artefact))


def read_file(path: Path) -> Transcript:
    """Return the transcript in the file at `path`; `InputError` where it is none."""
    try:
        return from_plain(Transcript, json.loads(path.read_bytes()))
    except (OSError, ValueError, SchemaError) as error:
        message = f"{path.name} is not a transcript: {error}."
        raise InputError(message, "Do the stage that made it again: cpw retry JOB --from align") from error


def publish(context: Context, name: str, transcript: Transcript) -> Artefact:
    """Write the transcript as the file `name` of the call's output."""
    write_json(context.output(name), to_plain(transcript))
    return context.publish(name)


def speech_of(transcript: Transcript, speech: tuple[Span, ...]) -> list[Span]:
    """Return VAD's stretches in order, or, without VAD, those of the segments."""
    if speech:
        return sorted(speech, key=lambda span: span.start_ms)
    spans = (Span(start_ms=segment.start_ms, end_ms=segment.end_ms) for segment in transcript.segments)
    return sorted(spans, key=lambda span: span.start_ms)
