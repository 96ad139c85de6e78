"""`cpw qc`: a subtitle file checked against the rules of a profile."""

from __future__ import annotations

from pathlib import Path

import click

from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.programs import ask_once
from clients.screen.table import Column, Table
from clients.screen.text import clock, count
from envspecs.models.registry import has_model, model_path
from protocol.errors import ExitCode
from protocol.languages import language_name
from protocol.schema import to_plain
from protocol.subtitles.quality import FileReport, ForeignCues, RuleReport
from protocol.subtitles.rules import QUALITY_RULES
from protocol.timeline import UNDETERMINED

__all__ = ["qc"]

_FIRST_CUES = 3
_LANGUAGE_MODEL = "lid-176"
_IN_FRAMES = {name for name, rule in QUALITY_RULES.items() if rule.in_frames}


@click.command(context_settings=CONTEXT)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--film", type=click.Path(path_type=Path), help="Its film, for frame rate and length.")
@click.option("--profile", default="netflix", show_default=True, help="Or bbc, social, relaxed or sdh.")
@click.option("--language", default="", metavar="LANG", help="Default: from the file's name, else its text.")
@json_option
@pass_desk
def qc(desk: Desk, file: Path, film: Path | None, profile: str, language: str, *, as_json: bool) -> ExitCode:
    """Check a subtitle file against the rules of a profile.

    Its text is held to its language, too. The exit code is 1 if it breaks a rule.
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
    if has_model(_LANGUAGE_MODEL):
        words += [f"--language-model={model_path(_LANGUAGE_MODEL)}"]
    words += [f"--film={film.absolute()}"] if film is not None else []
    return ask_once(desk, "qc", [*words, "--", str(file.absolute())], FileReport, f"The check of {file}")


def _show(desk: Desk, report: FileReport) -> None:
    broken = [rule for rule in report.rules if rule.count]
    if broken:
        desk.report.table(_table(broken))
        desk.report.line("")
    desk.report.lines([f"line {line.line} has {line.message}: {line.text.strip()}" for line in report.lines])
    desk.report.lines([_told(stretch) for stretch in report.foreign])
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
    elif report.language_by == "text":
        desk.report.remark(
            f"note: by its text the file is in {language_name(report.language)};"
            " add --language LANG if it is not"
        )
    if report.in_latin:
        desk.report.remark(
            f"note: {count(report.in_latin, 'cue')} in Latin letters: whether that is"
            f" {language_name(report.language)} was not judged"
        )
    if not _was_judged(report):
        desk.report.remark(
            "note: whether the text is in its language was not checked;"
            f" cpw models fetch {_LANGUAGE_MODEL} brings the model that tells"
        )


def _was_judged(report: FileReport) -> bool:
    limits = {rule.rule: rule.limit for rule in report.rules}
    return report.language == UNDETERMINED or limits.get("language") is not None


def _told(stretch: ForeignCues) -> str:
    """Return `lines 12 to 40 (cues 4 to 11, 00:00:10 to 00:00:40) are in English, not in Hindi`."""
    cues = _from_to("cue", stretch.first_cue, stretch.last_cue)
    times = f"{clock(stretch.start_ms)} to {clock(stretch.end_ms)}"
    place = f"{cues} ({times})"
    if stretch.first_line is not None and stretch.last_line is not None:
        place = f"{_from_to('line', stretch.first_line, stretch.last_line)} ({cues}, {times})"
    one = stretch.last_line == stretch.first_line and stretch.first_cue == stretch.last_cue
    languages = f"{language_name(stretch.language)}, not in {language_name(stretch.instead_of)}"
    return f"{place} {'is' if one else 'are'} in {languages}"


def _from_to(word: str, first: int, last: int) -> str:
    return f"{word} {first}" if first == last else f"{word}s {first} to {last}"


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
