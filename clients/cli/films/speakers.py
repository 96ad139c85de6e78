"""`cpw speakers`: who speaks in a job, what the voices are called, whom this machine knows."""

from __future__ import annotations

import dataclasses

import click

from clients.asking import ask_coordinator
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.screen.table import Column, Table
from clients.screen.text import clock, duration
from clients.voices import SaidLine, first_lines
from protocol.errors import ExitCode, UsageError
from protocol.jobs.voices import (
    ForgetVoices,
    KnownVoice,
    NamedVoice,
    NameSpeakers,
    SpeakersQuery,
    SpeakersReport,
    VoicesQuery,
    VoicesReport,
)
from protocol.stages import diarize

__all__ = ["speakers"]

_ASK_MS = 30_000
_BY = {"person": "named", "series": "known", "": ""}


@click.command(context_settings=CONTEXT)
@click.argument("job", required=False)
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="VOICE=NAME",
    help="Call a voice so, here and in the series' next films: 1=Gabbar. 1= takes the name away.",
)
@click.option("--known", is_flag=True, help="List the voices that this machine knows.")
@click.option("--forget", metavar="NAME", help="Forget a known voice.")
@click.option("--forget-all", is_flag=True, help="Forget all known voices, or all of --series.")
@click.option("--series", default="", metavar="NAME", help="Of this series only.")
@json_option
@pass_desk
def speakers(  # noqa: PLR0913 (one parameter an option)
    desk: Desk,
    job: str | None,
    names: tuple[str, ...],
    *,
    known: bool,
    forget: str | None,
    forget_all: bool,
    series: str,
    as_json: bool,
) -> ExitCode:
    """Show who speaks in a job, and name the voices.

    A name is kept on this machine for the films of the same series, and the job's subtitles are made again.
    """
    _refuse_mixture(job, names, known=known, forget=forget, forget_all=forget_all)
    if forget is not None or forget_all:
        return _forget(desk, ForgetVoices(series=series, name=forget or ""), as_json=as_json)
    if job is None:
        return _list(desk, series, as_json=as_json)
    request = NameSpeakers(job=job, names=_read_names(names)) if names else SpeakersQuery(job=job)
    report: SpeakersReport = ask_coordinator(desk, request, timeout_ms=_ASK_MS)
    if report.told_apart != "yes":
        raise _not_told(report)
    said = first_lines(report)
    if as_json:
        desk.report.json(_document(report, said))
    else:
        _show(desk, report, said)
    return ExitCode.DONE


def _refuse_mixture(
    job: str | None, names: tuple[str, ...], *, known: bool, forget: str | None, forget_all: bool
) -> None:
    wishes = [job is not None, known, forget is not None, forget_all]
    if sum(wishes) != 1 or (names and job is None):
        message = "Name a job, or write one of --known, --forget NAME and --forget-all."
        raise UsageError(message, "cpw speakers --help")
    if forget is not None and not forget.strip():
        raise UsageError("--forget names nobody.", "Write --forget-all to forget all.")


def _not_told(report: SpeakersReport) -> UsageError:
    if report.told_apart == "later":
        return UsageError(f"{report.job} has not come so far.", f"cpw status {report.job}")
    message = f"The voices of {report.job} have not been told apart."
    return UsageError(message, f"cpw-submit FILM --with {diarize.STAGE.name}")


def _read_names(written: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in written:
        voice, equals, name = pair.partition("=")
        if not equals or not voice.strip():
            raise UsageError(f"--name {pair!r} is not VOICE=NAME.", "Write for example --name 1=Gabbar")
        if voice.strip() in found:
            raise UsageError(f"--name names voice {voice.strip()} twice.", "Write one name for each voice.")
        found[voice.strip()] = name.strip()
    return found


def _show(desk: Desk, report: SpeakersReport, said: dict[str, tuple[SaidLine, ...]]) -> None:
    if not report.voices:
        desk.report.line("no voice was found in this film")
        return
    rows = tuple(row for voice in report.voices for row in _rows(voice, said.get(voice.id, ())))
    columns = (
        Column(title="voice"),
        Column(title="name"),
        Column(title="by", drop=1),
        Column(title="speaks", right=True),
        Column(title="at"),
        Column(title="says", least=20),
    )
    desk.report.table(Table(columns=columns, rows=rows))
    if report.steps:
        desk.report.line(f"made again: {', '.join(report.steps)}; names are kept for {report.series}")
    elif any(not voice.name for voice in report.voices):
        first = next(voice for voice in report.voices if not voice.name)
        desk.report.remark(f"to name one: cpw speakers {report.job} --name {first.id}=NAME")


def _rows(voice: NamedVoice, lines: tuple[SaidLine, ...]) -> list[tuple[str, ...]]:
    by = f"{_BY[voice.by]} ({voice.likeness_percent} %)" if voice.likeness_percent else _BY[voice.by]
    head = (voice.id, voice.name, by, duration(voice.speech_ms))
    heads = (head, *[("",) * len(head)] * (len(lines) - 1))
    told = [(clock(line.start_ms), line.text) for line in lines] or [("", "")]
    return [(*before, *after) for before, after in zip(heads, told, strict=True)]


def _document(report: SpeakersReport, said: dict[str, tuple[SaidLine, ...]]) -> dict[str, object]:
    return {
        "job": report.job,
        "series": report.series,
        "voices": [
            {
                **dataclasses.asdict(voice),
                "first_lines": [dataclasses.asdict(line) for line in said.get(voice.id, ())],
            }
            for voice in report.voices
        ],
        "steps": report.steps,
    }


def _list(desk: Desk, series: str, *, as_json: bool) -> ExitCode:
    answer: VoicesReport = ask_coordinator(desk, VoicesQuery(series=series), timeout_ms=_ASK_MS)
    if as_json:
        desk.report.json({"voices": answer.voices})
    elif answer.voices:
        columns = (
            Column(title="series"),
            Column(title="name"),
            Column(title="spoke", right=True),
            Column(title="in", least=20),
        )
        rows = tuple(
            (voice.series, voice.name, duration(voice.speech_ms), ", ".join(voice.films))
            for voice in answer.voices
        )
        desk.report.table(Table(columns=columns, rows=rows))
    else:
        desk.report.line(_nobody(series))
    return ExitCode.DONE


def _nobody(series: str) -> str:
    return "this machine knows no voices" + (f" of {series}" if series else "")


def _forget(desk: Desk, request: ForgetVoices, *, as_json: bool) -> ExitCode:
    answer: VoicesReport = ask_coordinator(desk, request, timeout_ms=_ASK_MS)
    if as_json:
        desk.report.json({"forgotten": answer.voices})
    elif answer.voices:
        desk.report.line(f"forgotten: {', '.join(_called(voice) for voice in answer.voices)}")
        desk.report.remark("subtitles that have a name in them keep it")
    elif request.name:
        raise UsageError(f"This machine knows no voice {request.name!r}.", "cpw speakers --known")
    else:
        desk.report.line(_nobody(request.series))
    return ExitCode.DONE


def _called(voice: KnownVoice) -> str:
    return f"{voice.name} ({voice.series})"
