"""`cpw glossary`: names that want a spelling, and how a glossary is read."""

from __future__ import annotations

import json
from pathlib import Path

import click

from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.glossary.reading import Glossary, GlossaryLine
from clients.glossary.sources import open_glossary
from clients.glossary.spellings import Spelling, spellings
from clients.job_folder import find_job_folder
from clients.screen.table import Column, Table
from clients.screen.text import clock, count
from protocol.errors import ExitCode, InputError, SchemaError
from protocol.languages import language_name
from protocol.schema import from_plain, to_plain
from protocol.timeline import Transcript

__all__ = ["glossary"]

_HEARD = "transcript.json"
_TIMES = 3


@click.group(context_settings=CONTEXT)
def glossary() -> None:
    """Find names that are spelt in two ways, and check a glossary."""


@glossary.command(context_settings=CONTEXT)
@click.argument("job", metavar="JOB")
@click.option(
    "--least", type=click.IntRange(2), default=3, show_default=True, help="Heard so often in all spellings."
)
@json_option
@pass_desk
def suggest(desk: Desk, job: str, least: int, *, as_json: bool) -> ExitCode:
    """Print names of a job that are spelt in two ways, as lines for a glossary."""
    found = spellings(_heard(find_job_folder(desk, job)), least)
    if as_json:
        desk.report.json({"names": to_plain(found)})
        return ExitCode.DONE
    for group in found:
        desk.report.lines([f"# {_told(spelling)}" for spelling in group])
        desk.report.lines([f"{spelling.text} = {group[0].text}" for spelling in group])
    if found:
        desk.report.remark("note: after = stands the most frequent spelling, which may be wrong")
    else:
        desk.report.remark("no name was heard in two spellings")
    return ExitCode.DONE


def _told(spelling: Spelling) -> str:
    """Return `Gabbar: 12 times (00:01:02, ...)`."""
    times = ", ".join(clock(start) for start in spelling.starts_ms[:_TIMES])
    more = ", ..." if len(spelling.starts_ms) > _TIMES else ""
    return f"{spelling.text}: {count(len(spelling.starts_ms), 'time')} ({times}{more})"


def _heard(folder: Path) -> Transcript:
    """Return the last transcript of what was heard. Raises `InputError` where there is none."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        names = [artefact["path"] for stage in manifest["stages"] for artefact in stage["artefacts"]]
        path = [folder / name for name in names if Path(name).name == _HEARD][-1]
        return from_plain(Transcript, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, LookupError, TypeError, SchemaError) as error:
        message = f"The job in {folder} has no transcript that can be read."
        raise InputError(message, "Wait until its step align is done; see: cpw status") from error


@glossary.command(context_settings=CONTEXT)
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@pass_desk
def check(desk: Desk, file: Path, *, as_json: bool) -> ExitCode:
    """Show how a glossary is read. The exit code is 1 if it cannot be used."""
    found = open_glossary(file)
    if as_json:
        desk.report.json(to_plain(found))
        return ExitCode.JOB_FAILED if found.problems else ExitCode.DONE
    if found.rows:
        desk.report.table(_table(found))
        desk.report.line("")
    desk.report.lines([f"note: {note}" for note in found.notes])
    for problem in found.problems:
        desk.report.error(f"{file}, {problem}")
    number = len({row.term.source for row in found.rows})
    desk.report.line(f"{file}: {count(number, 'term')}", "bad" if found.problems else "good")
    return ExitCode.JOB_FAILED if found.problems else ExitCode.DONE


def _table(found: Glossary) -> Table:
    columns = (
        Column(title="line", right=True),
        Column(title="said"),
        Column(title="written"),
        Column(title="in"),
        Column(title="note", drop=1),
    )
    return Table(columns=columns, rows=tuple(_row(row) for row in found.rows))


def _row(row: GlossaryLine) -> tuple[str, ...]:
    term = row.term
    language = language_name(term.language) if term.language else "all"
    return str(row.line), term.source, term.target or "the same", language, term.note
