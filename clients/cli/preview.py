"""`cpw preview`: one page that shows a job's film, cues, loudness and quality marks."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.job_folder import find_job_folder
from clients.programs import ask_once
from clients.screen.text import count
from protocol.errors import ExitCode
from protocol.languages import language_name
from protocol.schema import to_plain
from protocol.subtitles.preview import PreviewResult

__all__ = ["preview"]


@click.command(context_settings=CONTEXT)
@click.argument("job", metavar="JOB")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Default: preview, in the job folder.")
@click.option("--open", "opened", is_flag=True, help="Open the page in the browser.")
@json_option
@pass_desk
def preview(desk: Desk, job: str, out: Path | None, *, opened: bool, as_json: bool) -> ExitCode:
    """Write a page that shows a job's film, cues and quality marks.

    The page is one file and needs no network.
    """
    folder = find_job_folder(desk, job)
    words = ["--json", *([f"--out={out.absolute()}"] if out is not None else []), "--", str(folder)]
    result = ask_once(desk, "preview", words, PreviewResult, f"The preview of {folder}")
    address = Path(result.page).as_uri()
    shown = opened and webbrowser.open(address)
    if as_json:
        desk.report.json({**to_plain(result), "opened": shown})
        return ExitCode.DONE
    desk.report.line(result.page)
    for track in result.tracks:
        marks = f", {count(track.mark_count, 'mark')}" if track.mark_count else ""
        desk.report.line(f"  {language_name(track.language)}: {count(track.cue_count, 'cue')}{marks}")
    for note in result.notes:
        desk.report.remark(f"note: {note}")
    if opened and not shown:
        desk.report.remark("note: no browser could be started; open the page yourself")
    elif not opened:
        desk.report.remark(f"open it in a browser: {address}")
    return ExitCode.DONE
