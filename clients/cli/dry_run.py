"""`cpw submit --dry-run`: what would be done, how long it would take, with how much memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clients.desk import Asker, Desk
from clients.programs import ask_once
from clients.screen.fetching import film_facts
from clients.screen.forecast import film_sentence, models_table, plan_table, whole_sentences
from clients.screen.text import film_labels
from protocol.errors import CpwError, ExitCode
from protocol.jobs.dry_run import DryRun, DryRunReport
from protocol.jobs.fetching import FetchedFilm
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages.demux import FilmLengths

__all__ = ["show_dry_run"]

_ASK_MS = 60_000
_PORTION = 200
"""So many films are looked at by one program: a command line has an end."""


def show_dry_run(
    desk: Desk,
    asker: Asker,
    submissions: Sequence[Submit],
    to_fetch: Sequence[tuple[str, FetchedFilm]] = (),
    *,
    as_json: bool,
) -> ExitCode:
    """Show what would be done for the submissions, and what would be fetched; of that no more is known yet.

    Raises what sending them would.
    """
    lengths = _lengths_ms(desk, [submission.media for submission in submissions])
    question = DryRun(submissions=tuple(submissions), lengths_ms=lengths)
    report: DryRunReport = asker.ask(question, timeout_ms=_ASK_MS)
    refused = [film for film in report.films if film.error is not None]
    if as_json:
        desk.report.json({**to_plain(report), "to_fetch": [_plain(*one) for one in to_fetch]})
    else:
        for address, film in to_fetch:
            desk.report.line(f"{film_facts(film)}: would be fetched from {address}", "title")
        _show(desk, report)
    return ExitCode.JOB_FAILED if refused else ExitCode.DONE


def _plain(address: str, film: FetchedFilm) -> dict[str, Any]:
    facts = to_plain(film)
    return {"address": address, **{name: facts[name] for name in ("title", "length_ms", "size_bytes")}}


def _lengths_ms(desk: Desk, films: Sequence[str]) -> tuple[int | None, ...]:
    """Return how long the films are; nothing where that cannot be found out here."""
    found: list[int | None] = []
    try:
        for first in range(0, len(films), _PORTION):
            some = films[first : first + _PORTION]
            found += ask_once(desk, "lengths", some, FilmLengths, "The look at the films").lengths_ms
    except CpwError:
        return ()
    return tuple(found)


def _show(desk: Desk, report: DryRunReport) -> None:
    labels = film_labels([film.media for film in report.films])
    for film, label in zip(report.films, labels, strict=True):
        if film.error is not None:
            desk.report.error(f"{label}: {film.error.message}", film.error.remedy)
            continue
        desk.report.line(film_sentence(film, label), "title")
        desk.report.table(plan_table(film), indent="  ")
        desk.report.lines([f"note: {note}" for note in film.notes], indent="  ")
        desk.report.line("")
    if report.models:
        desk.report.table(models_table(report))
        desk.report.line("")
    desk.report.lines([*(whole_sentences(report) if report.films else ()), "nothing was submitted"])
