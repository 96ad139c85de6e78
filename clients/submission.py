"""From the words of a command line to submissions: read and checked as a whole. Nothing is sent from here."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from clients.films import find_films, is_utf8
from clients.glossary.checking import checked_terms
from clients.glossary.sources import Glossaries
from clients.mux_options import mux_parameters
from clients.settings import check_optional_stages, parse_environments, parse_settings, parse_with
from protocol.errors import InputError, UsageError
from protocol.jobs.glossary import Term
from protocol.languages import find_language, find_tag
from protocol.messages import Submit
from protocol.stages import WORKFLOWS, mux

__all__ = [
    "Reading",
    "Written",
    "parse_time",
    "read_submissions",
]

T = TypeVar("T")

_CLOCK = re.compile(r"(?:(?:(\d{1,6}):)?([0-5]?\d):)?([0-5]?\d(?:[.,]\d{1,3})?)")
_SECONDS = re.compile(r"\d{1,9}(?:[.,]\d{1,3})?")
_TRACK = re.compile(r"[0-9]{1,9}")
_INTERACTIVE = 10


@dataclass(frozen=True, kw_only=True)
class Written:
    """The words of a submission as they were written."""

    media: tuple[str, ...]
    workflow: str
    source: str | None = None
    targets: tuple[str, ...] = ()
    audio_track: str | None = None
    start: str | None = None
    end: str | None = None
    title: str | None = None
    year: int | None = None
    out: str | None = None
    burn: str | None = None
    settings: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    with_stages: tuple[str, ...] = ()
    without_stages: tuple[str, ...] = ()
    debug: bool = False
    again: bool = False
    hold: bool = False
    priority: int | None = None
    beside: bool = False
    glossary: tuple[str, ...] = ()
    """Files."""
    terms: tuple[Term, ...] = ()
    """A glossary that is in no file; it counts before those that are."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the words mean. With one problem there is no submission: all or nothing is sent."""

    submissions: tuple[Submit, ...]
    problems: tuple[UsageError, ...]
    notes: tuple[str, ...]
    refused: tuple[tuple[Submit, InputError], ...] = ()
    """Films that fail alone, each with its reason; a name that is not UTF-8 is written with escapes."""


class _Problems(list[UsageError]):
    """Collects what is wrong, so that the person is told everything at once."""

    def of(self, read: Callable[..., T], *words: Any) -> T | None:
        try:
            return read(*words)
        except UsageError as problem:
            self.append(problem)
            return None


def read_submissions(written: Written, default_out: Path) -> Reading:
    """Check everything that was written and return one submission for each film."""
    problems = _Problems()
    intake = find_films(written.media)
    problems += intake.problems
    shared_fields = _read_fields(written, problems)
    count = len(intake.films) + len(intake.misnamed)
    title = problems.of(_title, written.title, count)
    out = problems.of(_out, written.out, default_out)
    glossaries = problems.of(_glossaries, written)
    if problems or glossaries is None:
        # Then nothing is sent, and these are as wrong as the others.
        problems += [UsageError(f"The name {_escaped(film)} is not UTF-8.") for film in intake.misnamed]
        return Reading(submissions=(), problems=tuple(problems), notes=intake.notes)
    priority = _priority(written, count)

    def submission(media: str) -> Submit:
        return Submit(media=media, title=title, out=str(out), priority=priority, **shared_fields)

    submissions: list[Submit] = []
    refused: list[tuple[Submit, InputError]] = []
    for film in intake.films:
        plain = submission(str(film))
        try:
            submissions.append(replace(plain, glossary=glossaries.of(film)))
        except UsageError as error:
            # The glossary in its folder: other films have another.
            refused.append((plain, InputError(error.message, error.remedy)))
    refused += [(submission(_escaped(film)), _not_utf8()) for film in intake.misnamed]
    return Reading(
        submissions=tuple(submissions),
        problems=(),
        notes=(*intake.notes, *glossaries.notes),
        refused=tuple(refused),
    )


def _glossaries(written: Written) -> Glossaries:
    return Glossaries(written.glossary, checked_terms(written.terms))


def _escaped(film: Path) -> str:
    """Return the path with an escape for each byte that is not UTF-8: `caf\\xe9.mp4`."""
    return os.fsencode(film).decode("utf-8", "backslashreplace")


def _not_utf8() -> InputError:
    return InputError("The file's name is not UTF-8.", "Rename it, then submit it again.")


def _read_fields(written: Written, problems: _Problems) -> dict[str, Any]:
    """Return the fields of `Submit` that do not depend on the films."""
    start = problems.of(parse_time, written.start, "--start")
    end = problems.of(parse_time, written.end, "--end")
    problems.of(_check_clip, start, end)
    source = problems.of(_source, written.source)
    targets = problems.of(_targets, written.workflow, written.targets) or ()
    track = problems.of(_track, written.audio_track)
    with_stages, choices = problems.of(parse_with, written.with_stages) or ((), ())
    parameters = problems.of(parse_settings, (*choices, *written.settings)) or {}
    environments = problems.of(parse_environments, written.environments) or {}
    problems.of(check_optional_stages, with_stages, written.without_stages)
    film = parameters.pop(mux.STAGE.name, {})
    # Its languages must be the film's, which are known only if all else is right.
    if not problems:
        film = problems.of(mux_parameters, written.workflow, written.burn, film, source, targets) or {}
    return {
        "workflow": written.workflow,
        "user": user_name(),
        "source_language": source,
        "target_languages": targets,
        "year": written.year,
        "audio_track": track,
        "start_ms": start,
        "end_ms": end,
        "parameters": {**parameters, **({mux.STAGE.name: film} if film else {})},
        "environments": environments,
        "with_stages": with_stages,
        "without_stages": written.without_stages,
        "debug": written.debug,
        "reuse": not written.again,
        "hold": written.hold,
        "beside": written.beside,
    }


def _priority(written: Written, films: int) -> int:
    """Return what was written; else a person who names one film waits for it, and it runs before a batch."""
    if written.priority is not None:
        return written.priority
    named = films == len(written.media) == 1 and Path(written.media[0]).is_file()
    return _INTERACTIVE if named else 0


def user_name() -> str:
    """Return who submits; from the system and not from $USER, because it becomes part of a path."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # A container often runs under a user id that has no name.
        return f"uid{os.getuid()}"
    return re.sub(r"[^\w.-]", "_", name).lstrip(".-") or f"uid{os.getuid()}"


def parse_time(text: str | None, option: str) -> int | None:
    """Return milliseconds from `00:01:30.5`, `1:30` or `90.5`."""
    if text is None:
        return None
    found = _CLOCK.fullmatch(text.strip())
    if found is not None:
        hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in found.groups())
        return round((hours * 3600 + minutes * 60 + seconds) * 1000)
    if _SECONDS.fullmatch(text.strip()):
        return round(float(text.strip().replace(",", ".")) * 1000)
    raise UsageError(f"{option} {text!r} is not a time.", "Write 00:01:30, 1:30 or 90.5 (seconds).")


def _check_clip(start: int | None, end: int | None) -> None:
    if end is not None and end <= (start or 0):
        raise UsageError("--end must be later than --start.")


def _source(written: str | None) -> str | None:
    return None if written is None else find_language(written).code


def _targets(workflow: str, written: Sequence[str]) -> tuple[str, ...]:
    words = [part.strip() for word in written for part in word.split(",") if part.strip()]
    if written and not words:
        raise UsageError("--target-language names no language.", "Write for example -t en,gu.")
    codes = tuple(dict.fromkeys(str(find_tag(word)) for word in words))
    if codes and not WORKFLOWS[workflow].translates:
        message = f"The workflow {workflow} stays in the source language and takes no --target-language."
        raise UsageError(message, "Use --workflow translate or --workflow subtitle.")
    return codes or WORKFLOWS[workflow].default_targets


def _track(written: str | None) -> str | None:
    if written is None:
        return None
    word = written.strip()
    if _TRACK.fullmatch(word):
        return str(int(word))
    try:
        return find_language(word).code
    except UsageError as error:
        message = f"--audio-track {written!r} is neither a track's number nor a language."
        raise UsageError(message, "Write a number from 0, or a code such as hi.") from error


def _title(written: str | None, films: int) -> str | None:
    if written is None:
        return None
    title = written.strip()
    if not title:
        raise UsageError("The --title is empty.")
    if not is_utf8(title):
        raise UsageError(f"The --title {title!r} is not UTF-8.")
    if films > 1:
        raise UsageError(f"--title is for one film, and you named {films}.", "Submit that film alone.")
    return title


def _out(written: str | None, default: Path) -> Path:
    if written == "":
        raise UsageError("The --out folder's name is empty.")
    out = Path(written).resolve() if written is not None else default
    if not is_utf8(str(out)):
        raise UsageError(f"The --out folder's name {str(out)!r} is not UTF-8.")
    nearest = out
    while not os.path.lexists(nearest) and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UsageError(
            f"The --out folder {str(out)!r} cannot be created: {str(nearest)!r} is not a folder."
        )
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UsageError(f"The --out folder {str(out)!r} cannot be written to: permission denied.")
    return out
