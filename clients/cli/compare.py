"""`cpw compare`: the transcripts of two jobs of one film, side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from clients.asking import ask_coordinator, no_such_job
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.screen.report import Report
from clients.screen.table import Column, Table
from clients.screen.text import clock, duration
from clients.word_errors import Comparison, compare_transcripts
from protocol.errors import ExitCode, InputError, SchemaError, UsageError
from protocol.languages import language_name
from protocol.messages import JobReport, StatusQuery, StatusReport
from protocol.schema import from_plain, to_plain
from protocol.stages import TRANSCRIPT_STAGES
from protocol.timeline import Transcript

__all__ = ["compare"]

_MAIN = ("whisperx", "mlx-whisper", "torch", "transformers", "ctranslate2")


@dataclass(frozen=True, kw_only=True)
class _Side:
    """One job: its report, what each step was done with, and its transcripts by language."""

    report: JobReport
    environments: Mapping[str, Any]
    models: Mapping[str, str]
    transcripts: Mapping[str, Transcript]
    spoken: str


@click.command(context_settings=CONTEXT)
@click.argument("first", metavar="JOB_A")
@click.argument("second", metavar="JOB_B")
@json_option
@pass_desk
def compare(desk: Desk, first: str, second: str, *, as_json: bool) -> ExitCode:
    """Compare the transcripts of two jobs.

    Shows where they differ, the word error rate, times and versions.
    """
    a, b = _both_sides(desk, first, second)
    found = {
        language: compare_transcripts(a.transcripts[language], b.transcripts[language])
        for language in a.transcripts
        if language in b.transcripts
    }
    if not found:
        message = f"{first} and {second} have no transcript in the same language."
        raise UsageError(message, "Compare jobs of one film after both have a transcript; see: cpw status")
    if as_json:
        comparisons = {language: to_plain(comparison) for language, comparison in found.items()}
        desk.report.json({"jobs": [_facts(a), _facts(b)], "comparisons": comparisons})
    else:
        _show(desk.report, a, b, found)
    return ExitCode.DONE


def _both_sides(desk: Desk, first: str, second: str) -> tuple[_Side, _Side]:
    answer: StatusReport = ask_coordinator(desk, StatusQuery(jobs=(first, second)))
    if answer.unknown:
        raise no_such_job(answer.unknown[0])
    reports = {job.job: job for job in answer.jobs}
    return _side(reports[first]), _side(reports[second])


def _show(report: Report, a: _Side, b: _Side, found: Mapping[str, Comparison]) -> None:
    if a.report.media != b.report.media:
        report.remark("note: these jobs are of two different films")
    report.table(_table(a, b))
    for language, comparison in found.items():
        report.line("")
        report.lines(_sentences(language, comparison))
        for difference in comparison.differences:
            report.lines(
                [f"{clock(difference.start_ms)}  A  {difference.a}", f"{'':12}  B  {difference.b}"],
                indent="  ",
            )


def _side(report: JobReport) -> _Side:
    folder = Path(report.directory)
    job, manifest = _read(folder / "job.json"), _read(folder / "manifest.json")
    transcripts: dict[str, Transcript] = {}
    spoken = ""
    for step in manifest.get("stages", []):
        for artefact in step["artefacts"] if step["stage"] in TRANSCRIPT_STAGES else ():
            if Path(artefact["path"]).name.startswith("transcript."):
                transcript = _transcript(folder / artefact["path"])
                transcripts[transcript.language] = transcript
                # The first one is of what was heard; translations follow it.
                spoken = spoken or transcript.language
    models = {step["name"]: step["model"] for step in job.get("steps", []) if step["model"]}
    return _Side(
        report=report,
        environments=job.get("environments", {}),
        models=models,
        transcripts=transcripts,
        spoken=spoken,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read."
        raise InputError(message, "Submit the film again.") from error
    return dict(found)


def _transcript(path: Path) -> Transcript:
    try:
        return from_plain(Transcript, _read(path))
    except SchemaError as error:
        message = f"{path} is not a transcript: {error}."
        raise InputError(message, "Submit the film again.") from error


def _table(a: _Side, b: _Side) -> Table:
    rows = [("job", a.report.job, b.report.job), ("film", _film(a), _film(b))]
    rows.append(("language", language_name(a.spoken), language_name(b.spoken)))
    names = [step.name for step in a.report.steps if step.duration_ms is not None]
    rows += [(name, _step(a, name), _step(b, name)) for name in names]
    rows.append(("versions", _versions(a), _versions(b)))
    columns = (Column(title=""), Column(title="A", least=20), Column(title="B", least=20))
    return Table(columns=columns, rows=tuple(rows))


def _film(side: _Side) -> str:
    return Path(side.report.media).name


def _step(side: _Side, name: str) -> str:
    """Return the step's environment, model and duration."""
    step = next((step for step in side.report.steps if step.name == name), None)
    if step is None or step.duration_ms is None:
        return "-"
    model = side.models.get(name, "")
    return " ".join(part for part in (step.environment, model, duration(step.duration_ms)) if part)


def _versions(side: _Side) -> str:
    """Return the versions of the main libraries in the environments that the job used."""
    found = {
        f"{name} {version}": None
        for entry in side.environments.values()
        for name, version in entry.get("versions", {}).items()
        if name in _MAIN
    }
    return ", ".join(found) or "-"


def _sentences(language: str, comparison: Comparison) -> list[str]:
    unit = "grapheme" if comparison.by_graphemes else "word"
    lines = [f"{language_name(language)}: A has {comparison.words_a} {unit}s, B {comparison.words_b}"]
    if comparison.error_rate is not None:
        lines.append(
            f"{unit} error rate of B against A: {comparison.error_rate:.3f}"
            f" ({comparison.substituted} different, {comparison.missing} missing, {comparison.added} added)"
        )
    if comparison.start_difference_ms is not None:
        median, most = comparison.start_difference_ms
        lines.append(f"equal {unit}s start {median} ms apart (median), 95 % of them within {most} ms")
    return lines


def _facts(side: _Side) -> dict[str, Any]:
    return {
        "job": side.report.job,
        "media": side.report.media,
        "environments": side.environments,
        "models": side.models,
        "durations_ms": {step.name: step.duration_ms for step in side.report.steps},
    }
