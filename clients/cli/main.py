"""The commands of the shell: `cpw` and `cpw-submit`. Words in, an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from clients.desk import Desk, desk_here
from clients.screen.report import Report
from clients.submission import WORKFLOWS, Written
from protocol import PROTOCOL_VERSION
from protocol.errors import CpwError, ExitCode

__all__ = ["cpw", "main", "run", "submit_main"]

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_PASS_ON = {"ignore_unknown_options": True, "help_option_names": []}

pass_desk = click.make_pass_decorator(Desk)


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("cpw")
    except PackageNotFoundError:
        number = "from a checkout"
    context.ensure_object(Desk).report.line(f"cpw {number} (wire version {PROTOCOL_VERSION})")
    context.exit()


_version = click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")


@click.group(context_settings=_CONTEXT)
@_version
def cpw() -> None:
    """Subtitles for films, made by workers that keep their models loaded.

    \b
    Exit codes: 0 done, 1 a job failed, 2 what you wrote is wrong, 3 an environment
    or model is missing, 4 not running, 130 interrupted.
    """


@cpw.command(context_settings=_CONTEXT)
@click.argument("media", nargs=-1, required=True)
@click.option("-w", "--workflow", type=click.Choice(WORKFLOWS), required=True, help="What to make.")
@click.option(
    "-s", "--source-language", "source", metavar="LANG", help="Spoken language; detected when left out."
)
@click.option(
    "-t", "--target-language", "targets", multiple=True, metavar="LANG,...", help="Languages to make."
)
@click.option("--audio-track", metavar="N|LANG", help="Audio track, by number from 0 or by language.")
@click.option("--start", metavar="TIME", help="Start of the clip, as 00:01:00.")
@click.option("--end", metavar="TIME", help="End of the clip.")
@click.option("--title", help="Title, instead of the file's name.")
@click.option("--year", type=click.IntRange(1870, 2999), help="Year of the film.")
@click.option("--burn", metavar="LANG", help="A second film, with this language in its picture.")
@click.option("-o", "--out", metavar="DIR", help="Folder for the job folders.")
@click.option("--set", "settings", multiple=True, metavar="STAGE.FIELD=VALUE", help="As asr.model=small.")
@click.option("--env", "environments", multiple=True, metavar="STAGE=NAME", help="As asr=mlx.")
@click.option("--with", "with_stages", multiple=True, metavar="STAGE", help="Add a stage, as separate.")
@click.option("--without", "without_stages", multiple=True, metavar="STAGE", help="Leave one out, as vad.")
@click.option("--again", is_flag=True, help="Do it anew, though it was done before.")
@click.option(
    "--priority",
    type=click.IntRange(-1000, 1000),
    help="Higher goes first. Default: 10 for one film named here, 0 for several, a folder or a pattern.",
)
@click.option("--hold", is_flag=True, help="Make the jobs; nothing runs before: cpw resume JOB.")
@click.option("--watch", is_flag=True, help="Watch folders: submit each film that comes, once it is whole.")
@click.option("-d", "--detach", is_flag=True, help="Submit and go.")
@_json
@click.option("--debug", is_flag=True, help="Log more.")
@pass_desk
def submit(desk: Desk, /, *, detach: bool, as_json: bool, watch: bool, **words: object) -> int:
    """Submit films and follow them until they are done.

    MEDIA are files, folders (searched through) and patterns such as '*.mkv'; names that start with a
    dash go after --. Ctrl-C stops the following, not the jobs.
    """
    from clients.cli.submit import Manner
    from clients.cli.submit import submit as submit_films
    from protocol.schema import from_plain

    written = from_plain(Written, words, path="submit", strict=True)
    if watch:
        from clients.cli.watch import watch as watch_folders

        if detach or as_json:
            raise click.UsageError("--watch stays and shows; it goes neither with --detach nor with --json.")
        return watch_folders(desk, written)
    return submit_films(desk, written, Manner(detach=detach, json=as_json))


@cpw.command(context_settings=_CONTEXT)
@click.argument("jobs", nargs=-1)
@click.option("-n", "limit", type=click.IntRange(min=1), default=20, show_default=True, help="Newest N jobs.")
@_json
@pass_desk
def status(desk: Desk, jobs: tuple[str, ...], limit: int, *, as_json: bool) -> int:
    """Show jobs; with one JOB its steps too."""
    from clients.cli.show import status as show_status

    return show_status(desk, jobs, limit, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("jobs", metavar="JOB...", nargs=-1, required=True)
@_json
@pass_desk
def cancel(desk: Desk, jobs: tuple[str, ...], *, as_json: bool) -> int:
    """Stop jobs; what is done stays, and resume goes on from there."""
    from clients.cli.jobs import cancel as cancel_jobs

    return cancel_jobs(desk, jobs, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("jobs", metavar="JOB...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every failed or held job.")
@_json
@pass_desk
def resume(desk: Desk, jobs: tuple[str, ...], *, everything: bool, as_json: bool) -> int:
    """Go on with failed, cancelled or held jobs; no finished step is done again."""
    from clients.cli.jobs import resume as resume_jobs

    return resume_jobs(desk, jobs, everything=everything, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("job")
@click.option("--from", "stage", metavar="STAGE", required=True, help="As asr, or one step as translate-en.")
@_json
@pass_desk
def retry(desk: Desk, job: str, stage: str, *, as_json: bool) -> int:
    """Do a stage of a job again, and all that depends on it."""
    from clients.cli.jobs import retry as retry_job

    return retry_job(desk, job, stage, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("first", metavar="JOB_A")
@click.argument("second", metavar="JOB_B")
@_json
@pass_desk
def compare(desk: Desk, first: str, second: str, *, as_json: bool) -> int:
    """Put the transcripts of two jobs side by side: what differs, word error rate, times, versions."""
    from clients.cli.compare import compare_jobs

    return compare_jobs(desk, first, second, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--film", type=click.Path(path_type=Path), help="Its film: frame rate and length.")
@click.option("--profile", default="netflix", show_default=True, help="Or bbc, social, relaxed.")
@click.option("--language", default="", metavar="LANG", help="Default: what the file's name says.")
@_json
@pass_desk
def qc(desk: Desk, file: Path, film: Path | None, profile: str, language: str, *, as_json: bool) -> int:
    """Check a subtitle file of any format; exit code 1 where it breaks a rule."""
    from clients.cli.qc import qc as check_file

    return check_file(desk, file, film, profile, language, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("job", metavar="JOB")
@click.option("-f", "--format", "formats", multiple=True, metavar="FORMAT,...", help="srt, vtt, ass ...")
@click.option("-p", "--profile", default="", help="netflix, bbc, social, relaxed. Default: the job's own.")
@click.option("-l", "--language", "languages", multiple=True, metavar="LANG,...", help="Default: all.")
@click.option("--bilingual", multiple=True, metavar="LANG+LANG", help="Two languages in one file, as hi+en.")
@click.option("--burn", metavar="LANG", help="Render a language into the film's picture.")
@click.option("--karaoke", is_flag=True, help="In ASS, light up each word when it is spoken.")
@click.option("--set", "settings", multiple=True, metavar="FIELD=VALUE", help="As max_lines=1.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Default: export in the job's folder.")
@click.option("--overwrite", is_flag=True, help="Replace files in --out that have other contents.")
@_json
@pass_desk
def export(desk: Desk, /, job: str, **written: Any) -> int:
    """Write a finished job's subtitles again, in other formats or by other rules; no model runs."""
    from clients.cli.export import export as export_job

    return export_job(desk, job, written)


@cpw.command(context_settings=_CONTEXT)
@click.argument("job", metavar="JOB")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Default: preview in the job's folder.")
@click.option("--open", "opened", is_flag=True, help="Show it in the system's browser.")
@_json
@pass_desk
def preview(desk: Desk, job: str, out: Path | None, *, opened: bool, as_json: bool) -> int:
    """Write one page to look at a job with: film, cues, loudness, quality; no network."""
    from clients.cli.preview import preview as preview_job

    return preview_job(desk, job, out, opened=opened, as_json=as_json)


@cpw.group(context_settings=_CONTEXT)
def jobs() -> None:
    """Tidy up jobs."""


@jobs.command(context_settings=_CONTEXT)
@click.option(
    "--older-than", default="30d", show_default=True, metavar="AGE", help="Since their end: 30d, 12h."
)
@click.option("--state", "states", default="done,failed,cancelled", show_default=True, metavar="STATE,...")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@_json
@pass_desk
def prune(desk: Desk, older_than: str, states: str, *, dry_run: bool, as_json: bool) -> int:
    """Remove jobs that have ended, with their folders; one that is under way is never touched."""
    from clients.cli.jobs import prune as prune_jobs

    return prune_jobs(desk, older_than, states, dry_run=dry_run, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@_json
@pass_desk
def health(desk: Desk, *, as_json: bool) -> int:
    """Show how every environment is; exit code 0 when healthy, else 4."""
    from clients.cli.show import health as show_health

    return show_health(desk, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.argument("name", metavar="JOB|ENV")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added.")
@click.option("-n", "limit", type=click.IntRange(min=0), default=50, show_default=True, help="Last N lines.")
@pass_desk
def logs(desk: Desk, name: str, limit: int, *, follow: bool) -> int:
    """Show the log of a job, an environment, the supervisor or the coordinator."""
    from clients.cli.show import logs as show_logs

    return show_logs(desk, name, limit, follow=follow)


@cpw.command(context_settings=_CONTEXT)
@click.option(
    "--wait", "seconds", type=click.FloatRange(min=0), default=180, show_default=True, metavar="SECONDS"
)
@pass_desk
def up(desk: Desk, seconds: float) -> int:
    """Start everything and wait until it is ready."""
    from clients.cli.show import up as start_up

    return start_up(desk, seconds)


@cpw.command(context_settings=_CONTEXT)
@click.option(
    "--wait", "seconds", type=click.FloatRange(min=0), default=30, show_default=True, metavar="SECONDS"
)
@pass_desk
def down(desk: Desk, seconds: float) -> int:
    """Stop everything; jobs go on with the next start."""
    from clients.cli.show import down as shut_down

    return shut_down(desk, seconds)


@cpw.command(context_settings=_CONTEXT)
@pass_desk
def demo(desk: Desk) -> int:
    """Make two short films and subtitle them, the second with warm models."""
    from clients.cli.demo import demo as show_demo

    return show_demo(desk)


@cpw.command(context_settings=_PASS_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@pass_desk
def envs(desk: Desk, words: tuple[str, ...]) -> int:
    """List, build, upgrade, roll back, copy environments; see cpw envs --help."""
    from clients.cli.envs import envs as run_envs

    return run_envs(desk, words)


@cpw.command(context_settings=_PASS_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@pass_desk
def models(desk: Desk, words: tuple[str, ...]) -> int:
    """List, fetch or verify models, show where one lies, or (ps) what is loaded where."""
    if words[:1] == ("ps",):
        code: int = models_ps.main(list(words[1:]), "cpw models ps", standalone_mode=False, obj=desk)
        return code
    from clients.cli.envs import models as run_models

    return run_models(words)


@click.command("ps", context_settings=_CONTEXT)
@_json
@pass_desk
def models_ps(desk: Desk, *, as_json: bool) -> int:
    """Show every loaded model: where, since when, last used, how large, how often loaded."""
    from clients.cli.machine import loaded_models

    return loaded_models(desk, as_json=as_json)


@cpw.command(context_settings=_CONTEXT)
@click.option("--refresh", is_flag=True, help="Look again, instead of into the file of the last day.")
@_json
@pass_desk
def hardware(desk: Desk, *, refresh: bool, as_json: bool) -> int:
    """Show what this machine has to compute with."""
    from clients.cli.machine import hardware as show_hardware

    return show_hardware(desk, refresh=refresh, as_json=as_json)


def run(command: click.Command, words: Sequence[str], name: str, desk: Desk | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is told in one sentence."""
    report = desk.report if desk is not None else Report()
    try:
        code = command.main(args=list(words), prog_name=name, standalone_mode=False, obj=desk or desk_here())
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else name
        report.error(_sentence(error.format_message()), f"{path} --help")
        return ExitCode.USAGE
    except click.ClickException as error:
        report.error(_sentence(error.format_message()))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except CpwError as error:
        from clients.cli.submit import code_of

        report.error(error.message, error.remedy)
        return code_of(error)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        report.error(f"{error.strerror or error}{place}.")
        return ExitCode.JOB_FAILED
    return int(code or 0)


def _sentence(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Run `cpw`."""
    sys.exit(run(cpw, sys.argv[1:], "cpw"))


def submit_main() -> None:
    """Run `cpw-submit`."""
    sys.exit(run(submit, sys.argv[1:], "cpw-submit"))
