"""Showing submitted films: what was sent, the progress of the jobs, how they ended.

While the coordinator is away, it is waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from clients.asking import ask_status
from clients.desk import Asker, Desk
from clients.job_folder import read_first_cues
from clients.screen.jobs import FINISHED, job_error, job_lines, job_sentence, summary_table
from clients.screen.progress import Screen
from clients.screen.report import Report
from clients.screen.text import count, film_labels
from clients.sending import Sent
from protocol.errors import BugError, CpwError, NotRunningError
from protocol.failpoints import reach
from protocol.messages import JobReport, StatusReport, Submit

__all__ = ["ABSENCE_SECONDS", "conclude", "follow", "look", "show_end", "show_refused"]

ABSENCE_SECONDS = 30.0
"""How long the coordinator may be away: it is restarted within seconds, and its store keeps the jobs."""

_LOOK_SECONDS = 0.15
_ASK_MS = 2_000

Clock = Callable[[], float]


def show_end(report: Report, sent: Sent, films: int) -> None:
    """Show why some of so many films were not submitted."""
    if sent.stopped is not None and sent.accepted:
        report.error(sent.stopped.message, sent.stopped.remedy)
        report.remark(f"{count(len(sent.accepted), 'film')} submitted before that; the others were not")
    if sent.interrupted:
        report.remark(f"interrupted: {len(sent.accepted)} of {count(films, 'film')} submitted")


def show_refused(report: Report, refused: Sequence[tuple[Submit, CpwError]]) -> None:
    """Show the films that fail before they are sent, each with its reason."""
    names = film_labels([submission.media for submission, _ in refused])
    for name, (_, error) in zip(names, refused, strict=True):
        report.error(f"{name}: {error.message}", error.remedy)


class _Absence:
    """How long the coordinator has not answered, and what to say about it."""

    def __init__(self, clock: Clock, screen: Screen) -> None:
        self._clock = clock
        self._screen = screen
        self._since: float | None = None

    def not_answered(self, asked_at: float, error: NotRunningError) -> None:
        if self._since is None:
            self._since = asked_at
            self._screen.say("waiting for the coordinator ...")
        elif self._clock() - self._since >= ABSENCE_SECONDS:
            message = f"The coordinator has not answered for {ABSENCE_SECONDS:.0f} s; the jobs are kept."
            raise NotRunningError(message, "make up, then: cpw status") from error

    def answered(self) -> None:
        if self._since is not None:
            self._since = None
            self._screen.say("the coordinator is back")


def follow(
    desk: Desk, asker: Asker, jobs: Sequence[str], screen: Screen, seen: dict[str, JobReport]
) -> list[JobReport]:
    """Show the jobs until all have ended and return them; `seen` always holds the last look at each."""
    absence = _Absence(desk.clock, screen)
    while pending := [job for job in jobs if job not in seen or seen[job].state not in FINISHED]:
        asked_at = desk.clock()
        try:
            answer = ask_status(asker, pending, timeout_ms=_ASK_MS)
        except NotRunningError as error:
            absence.not_answered(asked_at, error)
            desk.pause(_LOOK_SECONDS)
            continue
        absence.answered()
        reach("cli.follow.answered")
        _take(answer, jobs, screen, seen)
        if any(job not in seen or seen[job].state not in FINISHED for job in pending):
            desk.pause(_LOOK_SECONDS)
    reach("cli.follow.ended")
    return [seen[job] for job in jobs]


def look(
    asker: Asker, pending: Sequence[str], jobs: Sequence[str], screen: Screen, seen: dict[str, JobReport]
) -> None:
    """Ask once for the pending ones among `jobs` and show what changed; `NotRunningError` as in `ask`."""
    _take(ask_status(asker, pending, timeout_ms=_ASK_MS), jobs, screen, seen)


def _take(answer: StatusReport, jobs: Sequence[str], screen: Screen, seen: dict[str, JobReport]) -> None:
    if answer.unknown:
        raise BugError(f"The coordinator does not know {', '.join(answer.unknown)} any more.", "cpw status")
    before = dict(seen)
    seen.update({job.job: job for job in answer.jobs})
    screen.show(before, [seen[job] for job in jobs if job in seen])


def conclude(
    report: Report, jobs: Sequence[JobReport], labels: Mapping[str, str], said: Mapping[str, Sequence[str]]
) -> None:
    """Show how every job ended: language, notes, outputs and first cues; a table when there are several.

    `said`: the notes that each job had when it was submitted.
    """
    several = len(jobs) > 1
    for job in jobs:
        lines = job_lines(job, read_first_cues(job.outputs), said.get(job.job, ()))
        if several and lines:
            report.line("")
            report.line(job_sentence(job, labels[job.job]), "title")
        report.lines(lines, indent="  ")
    if several:
        report.line("")
        report.table(summary_table(jobs))
    for job in jobs:
        if job.state in ("failed", "held"):
            error = job_error(job)
            why = error.message if error else "It failed and the coordinator did not say why."
            remedy = error.remedy if error and error.remedy else f"cpw logs {job.job}"
            report.error(f"{labels[job.job]}: {why}", remedy)
