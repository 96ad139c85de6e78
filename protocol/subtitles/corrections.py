"""What a person changed in subtitles, kept beside the job: by place and by the text as it was.

The document `corrections.json` in the job folder is a `Corrections`. It is applied whenever cues are made: at
an export, at a retry, with another model. What does not fit any more is listed, never forced.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from protocol.artefacts import read_json_as
from protocol.errors import InputError, SchemaError

__all__ = ["CORRECTIONS", "CorrectedCue", "Correction", "Corrections", "read_corrections"]

CORRECTIONS = "corrections.json"
"""Its name in the job folder."""
_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class CorrectedCue:
    """A cue as it was, or as it is to be; times are on the film's clock."""

    start_ms: int
    end_ms: int
    text: str
    """Its lines, with a line feed between them."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Cues that stood next to each other, and what takes their place.

    One for one: its text or its times were changed. One for two: it was split. Two for one: they were joined.
    Nothing for one: it was added; one for nothing: it was removed.
    """

    language: str
    old: tuple[CorrectedCue, ...]
    new: tuple[CorrectedCue, ...]


@dataclass(frozen=True, kw_only=True)
class Corrections:
    """All corrections of a job, in the order in which they were made."""

    version: int = _VERSION
    changes: tuple[Correction, ...] = ()


def read_corrections(path: Path) -> Corrections:
    """Return the document of a file; `InputError` where it is none, or of a later program."""
    try:
        found = read_json_as(Corrections, path)
    except (OSError, ValueError, SchemaError) as error:
        message = f"{path} is not a file of corrections: {error}."
        raise InputError(message, "Put an earlier one in its place, or remove it.") from error
    if found.version > _VERSION:
        message = f"{path} is of version {found.version}, and this program reads {_VERSION}."
        raise InputError(message, "Update the program.")
    return found
