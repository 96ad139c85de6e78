"""What to show of a dry run: tables and sentences as data. Pure."""

from __future__ import annotations

from clients.screen.table import Column, Table
from clients.screen.text import clock, count, duration, rough
from protocol.jobs.dry_run import DryRunReport, FilmForecast
from protocol.wording import size

__all__ = ["film_sentence", "models_table", "plan_table", "whole_sentences"]

_NOT_KNOWN = "not known yet on this machine"


def film_sentence(film: FilmForecast, label: str) -> str:
    """Return `film.mkv (00:10:00): subtitle, about 3 min`."""
    length = "" if film.length_ms is None else f" ({clock(film.length_ms).partition('.')[0]})"
    return f"{label}{length}: {film.workflow}, {_takes(film.takes_ms)}"


def _takes(milliseconds: int | None) -> str:
    return f"how long: {_NOT_KNOWN}" if milliseconds is None else f"about {rough(milliseconds)}"


def plan_table(film: FilmForecast) -> Table:
    """Return a row for each step that would be done, in order."""
    columns = (
        Column(title="step"),
        Column(title="environment"),
        Column(title="model", drop=2),
        Column(title="time", right=True),
        Column(title="why", least=20, drop=1),
    )
    rows = tuple(
        (
            step.name,
            step.environment,
            step.model,
            "?" if step.takes_ms is None else duration(step.takes_ms),
            "; ".join(reason.rstrip(".") for reason in step.reasons),
        )
        for step in film.steps
    )
    return Table(columns=columns, rows=rows)


def models_table(report: DryRunReport) -> Table:
    """Return a row for each model that would be used."""
    columns = (
        Column(title="model"),
        Column(title="environment"),
        Column(title="memory", right=True),
        Column(title="loaded"),
    )
    rows = tuple(
        (model.model, model.environment, size(model.bytes) or "?", "yes" if model.loaded else "no")
        for model in report.models
    )
    return Table(columns=columns, rows=rows)


def whole_sentences(report: DryRunReport) -> list[str]:
    """Return how long everything takes and with how much memory."""
    films = [film for film in report.films if film.error is None]
    told = [f"{count(len(films), 'film')}: {_takes(report.takes_ms)}"] if len(films) > 1 else []
    if report.waits_ms is None:
        told.append("other jobs go on at the same time or before; how long they take is not known")
    elif report.waits_ms > 0:
        told.append(f"other jobs that go on take about {rough(report.waits_ms)}")
    if report.memory_bytes:
        told.append(f"memory: about {size(report.memory_bytes)} for models, libraries not counted")
    return told
