"""Submitting films, and following them until they end."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from clients.cli.follow import conclude, follow
from clients.desk import Asker, Desk
from clients.screen.progress import open_screen
from clients.screen.text import count, film_labels
from clients.screen.views import exit_code
from clients.still_files import wait_until_still
from clients.submission import Written, read_wishes
from clients.supervisor import why_silent
from protocol.errors import CpwError, ErrorInfo, ExitCode, InputError, NotRunningError, UsageError
from protocol.failpoints import reach
from protocol.messages import HealthQuery, JobReport, StatusQuery, StatusReport, Submit, Submitted

__all__ = ["Manner", "Sent", "code_of", "greet", "send", "submit", "tell"]

_ASK_MS = 10_000
_RETURN_S = 15.0
"""How long a coordinator may be away before the wish is given up: it is restarted within a few seconds."""
_LOOK_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How the person wants to be answered."""

    detach: bool = False
    json: bool = False


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of the wishes: films to answers, refusals, and what stopped the sending."""

    accepted: tuple[tuple[Submit, Submitted], ...]
    refused: tuple[tuple[Submit, InputError], ...]
    stopped: CpwError | None

    def labels(self) -> dict[str, str]:
        """Return job to the name that is shown for it."""
        names = film_labels([wish.media for wish, _ in self.accepted])
        return {answer.job: name for (_, answer), name in zip(self.accepted, names, strict=True)}

    def jobs(self) -> list[str]:
        """Return the jobs in the order of their films."""
        return [answer.job for _, answer in self.accepted]

    def notes(self) -> dict[str, Sequence[str]]:
        """Return what the coordinator said of each job when it took it."""
        return {answer.job: answer.notes for _, answer in self.accepted}


def submit(desk: Desk, written: Written, manner: Manner) -> ExitCode:
    """Submit what was written; follow it unless the person wants to go."""
    reading = read_wishes(written, desk.out)
    for note in reading.notes:
        desk.report.remark(f"note: {note}")
    if reading.problems:
        for problem in reading.problems:
            desk.report.error(problem.message, problem.remedy)
        if len(reading.problems) > 1:
            desk.report.remark("nothing was submitted")
        return ExitCode.USAGE
    with desk.connect(desk.runtime) as asker:
        greet(desk, asker)
        sent = send(desk, asker, _without_moving(desk, written, reading.wishes))
        tell(desk, sent, manner)
        if sent.stopped is not None and not sent.accepted:
            raise sent.stopped
        if manner.detach or written.hold or not sent.accepted:
            return _detached(desk, asker, sent, manner, held=written.hold)
        return _followed(desk, asker, sent, manner)


def _without_moving(desk: Desk, written: Written, wishes: Sequence[Submit]) -> Sequence[Submit]:
    """Leave out what is still being copied into a folder; a film that was named itself is taken as it is."""
    folders = [Path(word).resolve() for word in written.media if Path(word).is_dir()]
    inside = [Path(wish.media) for wish in wishes if set(Path(wish.media).parents) & set(folders)]
    moving = wait_until_still(inside, desk.clock, desk.pause)
    if len(moving) == len(wishes):
        message = "Every film there is still being written."
        raise UsageError(message, "Wait until the copy has ended, or add --watch.")
    for film in moving:
        desk.report.remark(f"note: {film.name} is still being written and is left out; submit it again later")
    return [wish for wish in wishes if Path(wish.media) not in moving]


def greet(desk: Desk, asker: Asker) -> None:
    """Learn quickly whether anybody is there, before a wish is sent that may take its time."""
    try:
        asker.ask(HealthQuery())
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error


def send(desk: Desk, asker: Asker, wishes: Sequence[Submit]) -> Sent:
    """Send the wishes until one is refused for more than its own film's sake."""
    accepted: list[tuple[Submit, Submitted]] = []
    refused: list[tuple[Submit, InputError]] = []
    stopped: CpwError | None = None
    for wish in wishes:
        try:
            reach("cli.submit.before-send")
            accepted.append((wish, _say(desk, asker, wish)))
            reach("cli.submit.answered")
        except InputError as error:
            # This film's own fault: the others go on.
            refused.append((wish, error))
        except CpwError as error:
            stopped = error
            break
    return Sent(accepted=tuple(accepted), refused=tuple(refused), stopped=stopped)


def _say(desk: Desk, asker: Asker, wish: Submit) -> Submitted:
    """Send the wish, and once more where no answer came: its key makes one job of the two."""
    named = replace(wish, key=uuid.uuid4().hex)
    try:
        answer: Submitted = asker.ask(named, timeout_ms=_ASK_MS)
    except NotRunningError:
        _await_return(desk, asker)
        answer = asker.ask(named, timeout_ms=_ASK_MS)
    return answer


def _await_return(desk: Desk, asker: Asker) -> None:
    until_s = desk.clock() + _RETURN_S
    while True:
        try:
            asker.ask(HealthQuery())
        except NotRunningError:
            if desk.clock() > until_s:
                raise
            desk.pause(_LOOK_S)
        else:
            return


def tell(desk: Desk, sent: Sent, manner: Manner) -> None:
    """Show what became of the wishes."""
    labels = sent.labels()
    for _, answer in sent.accepted:
        line = f"{labels[answer.job]}: submitted as {answer.job}"
        desk.report.progress(line, beside=manner.json)
    for wish, error in sent.refused:
        desk.report.error(f"{film_labels([wish.media])[0]}: {error.message}", error.remedy)
    if sent.stopped is not None and sent.accepted:
        desk.report.error(sent.stopped.message, sent.stopped.remedy)
        desk.report.remark(f"{count(len(sent.accepted), 'film')} submitted before that; the rest was not")


def _code(sent: Sent, jobs: Sequence[JobReport]) -> ExitCode:
    if sent.stopped is not None:
        return code_of(sent.stopped)
    return ExitCode.JOB_FAILED if sent.refused else exit_code(jobs)


def code_of(error: CpwError) -> ExitCode:
    """Return the exit code that an error ends a command with."""
    return {
        "usage": ExitCode.USAGE,
        "missing": ExitCode.MISSING,
        "not_running": ExitCode.NOT_RUNNING,
    }.get(error.kind.value, ExitCode.JOB_FAILED)


def _detached(desk: Desk, asker: Asker, sent: Sent, manner: Manner, *, held: bool) -> ExitCode:
    if manner.json:
        _write_json(desk, sent, _look(asker, sent))
    else:
        for _, answer in sent.accepted:
            desk.report.lines([f"note: {note}" for note in answer.notes], indent="  ")
            desk.report.lines([answer.directory], indent="  ")
        if sent.accepted:
            start = f"held; start with: cpw resume {' '.join(sent.jobs())}"
            desk.report.line(start if held else f"watch with: {_watch(sent.jobs())}")
    return _code(sent, ())


def _watch(jobs: Sequence[str]) -> str:
    return f"cpw status {jobs[0]}" if len(jobs) == 1 else "cpw status"


def _followed(desk: Desk, asker: Asker, sent: Sent, manner: Manner) -> ExitCode:
    labels = sent.labels()
    seen: dict[str, JobReport] = {}
    try:
        with open_screen(desk.report, labels, beside=manner.json) as screen:
            jobs = follow(desk, asker, sent.jobs(), screen, seen)
    except KeyboardInterrupt:
        goes = "the job goes on" if len(labels) == 1 else "the jobs go on"
        desk.report.remark(f"{goes}; watch with: {_watch(sent.jobs())}")
        if manner.json:
            _write_json(desk, sent, seen)
        return ExitCode.INTERRUPTED
    if manner.json:
        _write_json(desk, sent, seen)
    else:
        conclude(desk.report, jobs, labels, sent.notes())
    return _code(sent, jobs)


def _look(asker: Asker, sent: Sent) -> dict[str, JobReport]:
    try:
        answer: StatusReport = asker.ask(StatusQuery(jobs=tuple(sent.jobs())))
    except NotRunningError:
        # The jobs are in the store; that is all the person asked for.
        return {}
    return {job.job: job for job in answer.jobs}


def _write_json(desk: Desk, sent: Sent, seen: Mapping[str, JobReport]) -> None:
    jobs = [
        _with_notes(seen[answer.job], answer) if answer.job in seen else _bare(wish, answer)
        for wish, answer in sent.accepted
    ]
    jobs += [_refused(wish, error) for wish, error in sent.refused]
    desk.report.json({"jobs": jobs})


def _with_notes(job: JobReport, answer: Submitted) -> JobReport:
    return replace(job, notes=tuple(dict.fromkeys((*answer.notes, *job.notes))))


def _bare(wish: Submit, answer: Submitted) -> JobReport:
    """Return a job as it is known from its submission alone."""
    return JobReport(
        job=answer.job,
        state="held" if wish.hold else "queued",
        media=wish.media,
        workflow=wish.workflow,
        directory=answer.directory,
        created_at="",
        elapsed_ms=0,
        fraction=0.0,
        steps=(),
        notes=answer.notes,
    )


def _refused(wish: Submit, error: InputError) -> JobReport:
    """Return a film that became no job, in a job's form."""
    info = ErrorInfo(kind=error.kind, message=error.message, remedy=error.remedy)
    bare = _bare(wish, Submitted(job="", directory=""))
    return replace(bare, state="failed", error=info)
