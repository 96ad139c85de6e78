"""`cpw qc`: a subtitle file checked against the rules of a profile."""

from __future__ import annotations

from pathlib import Path

import click

from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.programs import ask_once
from clients.screen.table import Column, Table
from clients.screen.text import clock, count
from protocol.errors import ExitCode
from protocol.languages import language_name
from protocol.schema import to_plain
from protocol.subtitles.quality import FileReport, RuleReport
from protocol.subtitles.rules import QUALITY_RULES
from protocol.timeline import UNDETERMINED

__all__ = ["qc"]

_FIRST_CUES = 3
_IN_FRAMES = {name for name, rule in QUALITY_RULES.items() if rule.in_frames}


@click.command(context_settings=CONTEXT)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--film", type=click.Path(path_type=Path), help="Its film, for frame rate and length.")
@click.option("--profile", default="netflix", show_default=True, help="Or bbc, social or relaxed.")
@click.option("--language", default="", metavar="LANG", help="Default: from the file's name.")
@json_option
@pass_desk
def qc(desk: Desk, file: Path, film: Path | None, profile: str, language: str, *, as_json: bool) -> ExitCode:
    """Check a subtitle file against the rules of a profile.

    The exit code is 1 if it breaks a rule.
    """
    report = _checked(desk, file, film, profile, language)
    if as_json:
        desk.report.json(to_plain(report))
    else:
        _show(desk, report)
    return ExitCode.DONE if report.ok else ExitCode.JOB_FAILED


def _checked(desk: Desk, file: Path, film: Path | None, profile: str, language: str) -> FileReport:
    """Return what the check found. Nothing needs to run for it.

    Raises `InputError` for a file that cannot be read, `UsageError` for a profile or language that there
    is not, `MissingError` where the environment common is not built.
    """
    words = ["--json", f"--profile={profile}"]
    words += [f"--language={language}"] if language else []
    words += [f"--film={film.absolute()}"] if film is not None else []
    return ask_once(desk, "qc", [*words, "--", str(file.absolute())], FileReport, f"The check of {file}")


def _show(desk: Desk, report: FileReport) -> None:
    broken = [rule for rule in report.rules if rule.count]
    if broken:
        desk.report.table(_table(broken))
        desk.report.line("")
    desk.report.lines([f"line {line.line} has {line.message}: {line.text.strip()}" for line in report.lines])
    checked = f"{count(report.cue_count, 'cue')}, {report.profile}, {language_name(report.language)}"
    if report.ok:
        desk.report.line(f"{checked}: {report.sentence or 'no rule is broken'}", "good")
    else:
        desk.report.line(f"{checked}: {report.sentence}", "bad")
    if report.film is None and any(rule.rule in _IN_FRAMES for rule in broken):
        rate = "24" if report.frames_per_second is None else f"{report.frames_per_second:.5g}"
        seen = "" if report.frames_per_second is None else ", which its times keep to"
        desk.report.remark(
            f"note: gaps are counted at {rate} frames per second{seen};"
            " for another frame rate add --film FILE"
        )
    if report.language == UNDETERMINED:
        desk.report.remark(
            "note: the language is not known, but the reading speed depends on it; add --language LANG"
        )


def _table(broken: list[RuleReport]) -> Table:
    columns = (
        Column(title="rule"),
        Column(title="cues", right=True),
        Column(title="limit", right=True),
        Column(title="furthest", right=True),
        Column(title="first cues", least=20),
        Column(title="why", drop=1),
    )
    return Table(columns=columns, rows=tuple(_row(rule) for rule in broken))


def _row(rule: RuleReport) -> tuple[str, ...]:
    cues, unit = rule.cues, rule.unit
    furthest = max((cue.value for cue in cues), key=lambda value: abs(value - cues[0].limit))
    first = [f"{cue.cue} at {clock(cue.start_ms)}" for cue in cues[:_FIRST_CUES]]
    more = ["..."] if len(cues) > _FIRST_CUES else []
    return (
        rule.rule.replace("_", " ") + (" (note)" if rule.informs_only else ""),
        str(rule.count),
        f"{cues[0].limit:g} {unit}" if unit else "",
        f"{furthest:g}" if unit else "",
        ", ".join(first + more),
        next((cue.reason for cue in cues if cue.reason), ""),
    )
