"""`cpw submit`, `cpw-submit`: submitting films, and showing their progress until they end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from clients.addresses.fetching import Fetched, fetch_written
from clients.addresses.words import FetchOptions, is_address
from clients.asking import ask_status
from clients.cli.dry_run import show_dry_run
from clients.cli.follow import conclude, follow, show_end, show_refused
from clients.cli.shell import CONTEXT, code_of, json_option, pass_desk
from clients.cli.watch import watch_folders
from clients.desk import Asker, Desk
from clients.screen.jobs import exit_code
from clients.screen.progress import open_screen
from clients.screen.text import count
from clients.sending import Sent, check_running, send
from clients.still_files import wait_until_still
from clients.submission import Reading, Written, read_submissions
from protocol.errors import CpwError, ErrorInfo, ExitCode, NotRunningError, UsageError
from protocol.messages import JobReport, Submit, Submitted
from protocol.schema import from_plain
from protocol.stages import WORKFLOWS

__all__ = ["submit", "submit_films"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_FOR_ADDRESSES = (
    click.option("--playlist", is_flag=True, help="Of a web address: all films of its list, each as a job."),
    click.option("--cookies", metavar="FILE", help="Of a web address: cookies of its site (mode 600)."),
    click.option("--max-size", metavar="SIZE", help="Of a web address: no film above it, for example 4G."),
    click.option("--allow-local", is_flag=True, help="Of a web address: it may lie in your own network."),
)


def _address_options(command: _Command) -> _Command:
    """Add the options to a command."""
    for option in reversed(_FOR_ADDRESSES):
        command = option(command)
    return command


def _taken_from(words: dict[str, Any]) -> FetchOptions:
    """Take the options out of the words of a command line."""
    names = ("playlist", "cookies", "max_size", "allow_local")
    return FetchOptions(**{name: words.pop(name) for name in names})


@click.command(context_settings=CONTEXT)
@click.argument("media", nargs=-1, required=True)
@click.option("-w", "--workflow", type=click.Choice(tuple(WORKFLOWS)), required=True, help="What to make.")
@click.option("-s", "--source-language", "source", metavar="LANG", help="Spoken language. Default: detected.")
@click.option(
    "-t",
    "--target-language",
    "targets",
    multiple=True,
    metavar="LANG,...",
    help="Languages to translate into.",
)
@click.option("--audio-track", metavar="N|LANG", help="Audio track: its number from 0, or its language.")
@click.option("--start", metavar="TIME", help="Start of the clip, for example 00:01:00.")
@click.option("--end", metavar="TIME", help="End of the clip.")
@click.option("--title", help="Title. Default: the file's name.")
@click.option("--year", type=click.IntRange(1870, 2999), help="Year of the film.")
@click.option("--burn", metavar="LANG", help="Also make a film with this language in its picture.")
@click.option("-o", "--out", metavar="DIR", help="Folder for the job folders.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="STAGE.FIELD=VALUE",
    help="Change a setting, for example asr.model=small.",
)
@click.option(
    "--env",
    "environments",
    multiple=True,
    metavar="STAGE=NAME",
    help="Choose an environment, for example asr=mlx.",
)
@click.option(
    "--with", "with_stages", multiple=True, metavar="STAGE", help="Add a stage: separate, or separate=auto."
)
@click.option(
    "--without", "without_stages", multiple=True, metavar="STAGE", help="Leave out a stage, for example vad."
)
@click.option(
    "--glossary", multiple=True, metavar="FILE", help="How names are written: CSV, TSV or lines a = b."
)
@click.option("--again", is_flag=True, help="Do every step again; reuse no result.")
@click.option(
    "--priority",
    type=click.IntRange(-1000, 1000),
    help="Higher runs first. Default: 10 for one film, 0 for several, a folder or a pattern.",
)
@click.option("--beside", is_flag=True, help="Also put the subtitles beside the film: Film.en.srt.")
@_address_options
@click.option("--hold", is_flag=True, help="Create the jobs but do not start them; cpw resume does.")
@click.option("--watch", is_flag=True, help="Watch folders: submit each new film once it is complete.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done, how long, how much memory.")
@click.option("-d", "--detach", is_flag=True, help="Submit and return at once.")
@json_option
@click.option("--debug", is_flag=True, help="Write more into the logs.")
@pass_desk
def submit(
    desk: Desk, /, *, detach: bool, as_json: bool, watch: bool, dry_run: bool, **words: object
) -> ExitCode:
    """Submit films and show their progress until they are done.

    MEDIA are files, folders (with their subfolders), patterns such as '*.mkv' and web addresses. Write names
    that start with a dash after --. Ctrl-C ends this command, not the jobs.
    """
    fetching = _taken_from(words)
    written = from_plain(Written, words, path="submit", strict=True)
    if dry_run and (watch or detach):
        raise click.UsageError("--dry-run cannot be used with --watch or --detach.")
    if not watch:
        return submit_films(desk, written, fetching, detach=detach, as_json=as_json, dry_run=dry_run)
    if detach or as_json:
        raise click.UsageError("--watch cannot be used with --detach or --json.")
    if any(is_address(word) for word in written.media) or fetching.used():
        raise click.UsageError("--watch is for folders, not for web addresses.")
    return watch_folders(desk, written)


def submit_films(
    desk: Desk,
    written: Written,
    fetching: FetchOptions | None = None,
    *,
    detach: bool = False,
    as_json: bool = False,
    dry_run: bool = False,
) -> ExitCode:
    """Submit what was written; then show the progress until all has ended, unless `detach`.

    Films at web addresses are fetched before. With `dry_run` nothing is fetched or submitted: what would be
    done is shown.
    """
    options = fetching or FetchOptions()
    fetched = fetch_written(desk, written, options, beside=as_json, look_only=dry_run)
    written = fetched.written
    reading = fetched.apply(read_submissions(written, desk.out))
    for note in reading.notes:
        desk.report.remark(f"note: {note}")
    if reading.problems:
        return _refuse(desk, reading)
    if dry_run and (reading.submissions or fetched.looked_up):
        return _dry_run(desk, reading, fetched, as_json=as_json)
    if not reading.submissions:
        return _refuse_all(desk, reading, fetched, as_json=as_json)
    return _submit(desk, reading, fetched, detach=detach, as_json=as_json)


def _submit(desk: Desk, reading: Reading, fetched: Fetched, *, detach: bool, as_json: bool) -> ExitCode:
    """Send what was read, and follow it unless `detach`."""
    written = fetched.written
    with desk.connect(desk.runtime) as asker:
        check_running(desk, asker)
        submissions = _without_moving(desk, written, reading.submissions)
        show_refused(desk.report, reading.refused)
        sent = send(desk, asker, submissions, beside=as_json)
        refused = (*fetched.refusals(written.workflow), *reading.refused, *sent.refused)
        sent = replace(sent, refused=refused)
        show_end(desk.report, sent, len(submissions))
        if sent.interrupted:
            if as_json:
                _write_json(desk, sent, {})
            return ExitCode.INTERRUPTED
        if sent.stopped is not None and not sent.accepted:
            raise sent.stopped
        if not sent.accepted or detach or written.hold:
            _show_detached(desk, asker, sent, held=written.hold, as_json=as_json)
            return _code(sent, ())
        return _follow(desk, asker, sent, as_json=as_json)


def _refuse(desk: Desk, reading: Reading) -> ExitCode:
    for problem in reading.problems:
        desk.report.error(problem.message, problem.remedy)
    if len(reading.problems) > 1:
        desk.report.remark("nothing was submitted")
    return ExitCode.USAGE


def _dry_run(desk: Desk, reading: Reading, fetched: Fetched, *, as_json: bool) -> ExitCode:
    show_refused(desk.report, reading.refused)
    with desk.connect(desk.runtime) as asker:
        check_running(desk, asker)
        shown = show_dry_run(desk, asker, reading.submissions, fetched.looked_up, as_json=as_json)
    return ExitCode.JOB_FAILED if reading.refused or fetched.refused else shown


def _refuse_all(desk: Desk, reading: Reading, fetched: Fetched, *, as_json: bool) -> ExitCode:
    show_refused(desk.report, reading.refused)
    if as_json:
        workflow = fetched.written.workflow
        refused = (*fetched.refusals(workflow), *reading.refused)
        _write_json(desk, Sent(accepted=(), refused=refused, names={}), {})
    return ExitCode.JOB_FAILED


def _without_moving(desk: Desk, written: Written, submissions: Sequence[Submit]) -> Sequence[Submit]:
    """Leave out what is still being copied into a folder; a film that was named itself is not checked."""
    folders = {Path(word).resolve() for word in written.media if Path(word).is_dir()}
    films = [Path(submission.media) for submission in submissions]
    moving = wait_until_still(
        [film for film in films if set(film.parents) & folders],
        desk.clock,
        desk.pause,
        lambda number: desk.report.remark(f"{count(number, 'film')} changed a moment ago: looking again"),
    )
    if len(moving) == len(films):
        message = "Every film in it is still being written."
        raise UsageError(message, "Wait until the copy is complete, or add --watch.")
    for film in moving:
        desk.report.remark(f"note: {film.name} is still being written and was left out; submit it later")
    return [submission for submission in submissions if Path(submission.media) not in moving]


def _code(sent: Sent, jobs: Sequence[JobReport]) -> ExitCode:
    if sent.stopped is not None:
        return code_of(sent.stopped)
    return ExitCode.JOB_FAILED if sent.refused else exit_code(jobs)


def _show_detached(desk: Desk, asker: Asker, sent: Sent, *, held: bool, as_json: bool) -> None:
    if as_json:
        _write_json(desk, sent, _reports(asker, sent))
        return
    for _, answer in sent.accepted:
        desk.report.lines([f"note: {note}" for note in answer.notes], indent="  ")
        desk.report.lines([answer.directory], indent="  ")
    if sent.accepted:
        start = f"held; to start: cpw resume {' '.join(sent.jobs())}"
        desk.report.line(start if held else f"to see progress: {_status_command(sent.jobs())}")


def _status_command(jobs: Sequence[str]) -> str:
    return f"cpw status {jobs[0]}" if len(jobs) == 1 else "cpw status"


def _follow(desk: Desk, asker: Asker, sent: Sent, *, as_json: bool) -> ExitCode:
    labels = sent.labels()
    seen: dict[str, JobReport] = {}
    try:
        with open_screen(desk.report, labels, beside=as_json) as screen:
            jobs = follow(desk, asker, sent.jobs(), screen, seen)
    except KeyboardInterrupt:
        still = "the job continues" if len(labels) == 1 else "the jobs continue"
        desk.report.remark(f"{still}; to see progress: {_status_command(sent.jobs())}")
        if as_json:
            _write_json(desk, sent, seen)
        return ExitCode.INTERRUPTED
    if as_json:
        _write_json(desk, sent, seen)
    else:
        conclude(desk.report, jobs, labels, sent.notes())
    return _code(sent, jobs)


def _reports(asker: Asker, sent: Sent) -> dict[str, JobReport]:
    """Return the jobs as they are now; empty if nobody answers, because they are submitted even so."""
    try:
        answer = ask_status(asker, sent.jobs())
    except NotRunningError:
        return {}
    return {job.job: job for job in answer.jobs}


def _write_json(desk: Desk, sent: Sent, seen: Mapping[str, JobReport]) -> None:
    jobs = [
        _with_notes(seen[answer.job], answer) if answer.job in seen else _bare(submission, answer)
        for submission, answer in sent.accepted
    ]
    jobs += [_refused(submission, error) for submission, error in sent.refused]
    desk.report.json({"jobs": jobs})


def _with_notes(job: JobReport, answer: Submitted) -> JobReport:
    return replace(job, notes=tuple(dict.fromkeys((*answer.notes, *job.notes))))


def _bare(submission: Submit, answer: Submitted) -> JobReport:
    """Return a job about which only its submission is known."""
    return JobReport(
        job=answer.job,
        state="held" if submission.hold else "queued",
        media=submission.media,
        workflow=submission.workflow,
        directory=answer.directory,
        created_at="",
        elapsed_ms=0,
        fraction=0.0,
        steps=(),
        notes=answer.notes,
    )


def _refused(submission: Submit, error: CpwError) -> JobReport:
    """Return a film that became no job, in a job's form."""
    info = ErrorInfo(kind=error.kind, message=error.message, remedy=error.remedy)
    bare = _bare(submission, Submitted(job="", directory=""))
    return replace(bare, state="failed", error=info)
