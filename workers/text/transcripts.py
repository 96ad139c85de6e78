"""Transcripts as files: how a call reads its input and writes its output."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from protocol.artefacts import Artefact, read_json_as, write_json
from protocol.errors import InputError, SchemaError
from protocol.schema import to_plain
from protocol.timeline import Segment, Span, Transcript
from workers.engine import Context

__all__ = ["publish", "read", "read_file", "runs_of", "speech_of"]


def read(context: Context, artefact: Artefact) -> Transcript:
    """Return the transcript in the file; `InputError` where it cannot be read as one."""
    return read_file(context.input(artefact))


def read_file(path: Path) -> Transcript:
    """Return the transcript in the file at `path`; `InputError` where it cannot be read as one."""
    try:
        # A recogniser may have given a probability that is no number.
        return read_json_as(Transcript, path, nan=True)
    except (OSError, ValueError, SchemaError) as error:
        message = f"{path.name} is not a transcript: {error}."
        raise InputError(message, "Run the stage that made it again: cpw retry JOB --from align") from error


def publish(context: Context, name: str, transcript: Transcript) -> Artefact:
    """Write the transcript as the file `name`, and publish it as an output of the call."""
    write_json(context.output(name), to_plain(transcript))
    return context.publish(name)


def runs_of(transcript: Transcript) -> list[tuple[str, Sequence[Segment]]]:
    """Return the segments, as they stand, in runs of one language, each with that language."""
    return [
        (language, tuple(segments))
        for language, segments in groupby(transcript.segments, transcript.language_of)
    ]


def speech_of(transcript: Transcript, speech: tuple[Span, ...]) -> list[Span]:
    """Return the stretches that VAD found, in order; without VAD, the times of the segments."""
    if speech:
        return sorted(speech, key=lambda span: span.start_ms)
    spans = (Span(start_ms=segment.start_ms, end_ms=segment.end_ms) for segment in transcript.segments)
    return sorted(spans, key=lambda span: span.start_ms)
