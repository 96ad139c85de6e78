"""`cpw export`: a job's subtitles in other formats, by other rules, in two languages at once, or burnt in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.job_folder import find_job_folder
from clients.programs import ask_once
from clients.screen.report import Report
from clients.screen.text import count
from clients.settings import parse_settings
from protocol.errors import ExitCode, UsageError
from protocol.languages import find_tag
from protocol.schema import to_plain
from protocol.stages.subtitle import CueNumbers
from protocol.subtitles.export import ExportRequest, ExportResult
from protocol.subtitles.formats import FORMATS
from protocol.timeline import UNDETERMINED

__all__ = ["export"]

_KARAOKE = {name for name, row in FORMATS.items() if row.karaoke}
_NUMBERS = frozenset(field.name for field in fields(CueNumbers))


@click.command(context_settings=CONTEXT)
@click.argument("job", metavar="JOB")
@click.option(
    "-f",
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT,...",
    help="For example srt,vtt,ass. Default: srt.",
)
@click.option("-p", "--profile", default="", help="netflix, bbc, social, relaxed or sdh. Default: the job's.")
@click.option(
    "-l", "--language", "languages", multiple=True, metavar="LANG,...", help="Languages. Default: all."
)
@click.option(
    "--bilingual", multiple=True, metavar="LANG+LANG", help="Two languages in one file, for example hi+en."
)
@click.option("--burn", metavar="LANG", help="Make a film with this language in its picture.")
@click.option("--karaoke", is_flag=True, help="In ASS files, highlight each word as it is spoken.")
@click.option("--speaker-colours", is_flag=True, help="In ASS files, give each speaker a colour.")
@click.option(
    "--set", "settings", multiple=True, metavar="FIELD=VALUE", help="Change a rule, for example max_lines=1."
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Default: export, in the job folder.")
@click.option("--overwrite", is_flag=True, help="Replace files in --out even if their contents differ.")
@json_option
@pass_desk
def export(desk: Desk, /, job: str, *, as_json: bool, **written: Any) -> ExitCode:
    """Write a job's subtitles in other formats or by other rules.

    No model runs, and nothing needs to be running.
    """
    result = _exported(desk, job, written)
    if as_json:
        desk.report.json(to_plain(result))
    else:
        _show(desk.report, result)
    return ExitCode.DONE


def _exported(desk: Desk, job: str, written: dict[str, Any]) -> ExportResult:
    """Have the files written and return the list of them. Nothing needs to run for it.

    Raises `UsageError` for a word that is wrong, `InputError` where the job has no transcript or a file is
    in the way, `MissingError` where the environment common is not built.
    """
    request = json.dumps(to_plain(_request(written)))
    folder = find_job_folder(desk, job)
    return ask_once(desk, "export", [str(folder), request], ExportResult, f"The export of {folder}")


def _show(report: Report, result: ExportResult) -> None:
    for file in result.files:
        if file.format == "qc.json":
            continue
        cues = f" ({count(file.cue_count, 'cue')})" if file.cue_count is not None else ""
        report.line(f"{file.path}{cues}")
    qualities = {file.language: file.quality for file in result.files if file.quality}
    for language, quality in qualities.items():
        report.remark(f"note: {language}: {quality}")
    for note in result.notes:
        report.remark(f"note: {note}")


def _request(written: dict[str, Any]) -> ExportRequest:
    formats = _split(written["formats"])
    pairs = [_pair(pair) for pair in written["bilingual"]]
    languages = [_language(language) for language in _split(written["languages"])]
    burn = written["burn"]
    if not formats and (pairs or languages or not burn):
        formats = ["srt"]
    out: Path | None = written["out"]
    if burn == "" or out == Path():
        raise UsageError("--burn names no language." if burn == "" else "The --out folder's name is empty.")
    if written["karaoke"] and (pairs or not _KARAOKE & set(formats)):
        message = "Only ASS files of one language can highlight words."
        raise UsageError(message, "Use --karaoke with --format ass and without --bilingual.")
    if written["speaker_colours"] and (pairs or "ass" not in formats):
        message = "Only ASS files of one language can give each speaker a colour."
        raise UsageError(message, "Use --speaker-colours with --format ass and without --bilingual.")
    return ExportRequest(
        formats=tuple(formats),
        profile=written["profile"],
        languages=tuple(languages),
        pairs=tuple(pairs),
        karaoke=written["karaoke"],
        speaker_colours=written["speaker_colours"],
        settings=_settings(written["settings"]),
        burn=_language(burn) if burn else "",
        out=str(out.absolute()) if out is not None else "",
        overwrite=written["overwrite"],
    )


def _split(words: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(part.strip() for word in words for part in word.split(",") if part.strip()))


def _language(written: str) -> str:
    # The transcript of a film without speech has no language.
    return UNDETERMINED if written == UNDETERMINED else str(find_tag(written))


def _pair(written: str) -> tuple[str, str]:
    names = [part.strip() for part in written.split("+")]
    if len(names) != 2 or not all(names):
        message = f"--bilingual {written!r} does not name two languages."
        raise UsageError(message, "Write for example hi+en: the first is shown above the second.")
    first, second = names
    return _language(first), _language(second)


def _settings(words: Sequence[str]) -> dict[str, Any]:
    return dict(parse_settings([_setting(word) for word in words]).get("subtitle", {}))


def _setting(word: str) -> str:
    """Return `max_lines=1` in the form that `cpw submit` takes; `UsageError` for what is no rule's number."""
    written, _, value = (part.strip() for part in word.partition("="))
    name = written.removeprefix("subtitle.")
    if value.casefold() in ("", "none"):
        raise UsageError(f"--set {word!r} is not of the form field=value.", "Write for example max_lines=1.")
    if name not in _NUMBERS:
        message = f"--set {word!r}: an export cannot change that."
        raise UsageError(message, f"One of these rules: {', '.join(sorted(_NUMBERS))}.")
    return f"subtitle.{name}={value}"
