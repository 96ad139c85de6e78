"""Sending submissions to the coordinator, each until it is answered."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from clients.asking import why_silent
from clients.desk import Asker, Desk
from clients.screen.text import film_labels
from protocol.errors import CpwError, InputError, NotRunningError
from protocol.failpoints import reach
from protocol.messages import HealthQuery, Submit, Submitted

__all__ = ["Sent", "check_running", "send"]

_ASK_MS = 10_000
_RETURN_S = 15.0
"""How long the coordinator may be away before sending is given up: it is restarted within a few seconds."""
_LOOK_S = 0.25


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What became of submissions: those that became jobs, those that were refused, what ended the sending."""

    accepted: tuple[tuple[Submit, Submitted], ...]
    refused: tuple[tuple[Submit, CpwError], ...]
    names: Mapping[str, str]
    """Film to the name that is shown for it."""
    stopped: CpwError | None = None
    interrupted: bool = False
    """Whether the person stopped it."""

    def labels(self) -> dict[str, str]:
        """Return job to the name that is shown for it."""
        return {answer.job: self.names[submission.media] for submission, answer in self.accepted}

    def jobs(self) -> list[str]:
        """Return the jobs in the order of their films."""
        return [answer.job for _, answer in self.accepted]

    def notes(self) -> dict[str, Sequence[str]]:
        """Return the coordinator's notes on each job that it accepted."""
        return {answer.job: answer.notes for _, answer in self.accepted}


def check_running(desk: Desk, asker: Asker) -> None:
    """Raise `NotRunningError` where no coordinator answers: sooner than a submission, which may take time."""
    try:
        asker.ask(HealthQuery())
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error


def send(desk: Desk, asker: Asker, submissions: Sequence[Submit], *, beside: bool) -> Sent:
    """Send the submissions, one after the other, until one fails for a reason that is not its own film.

    Each is told of at once: thousands take a minute, and a person who interrupts that knows which were made.
    `beside`: the answer itself is for a machine.
    """
    films = [submission.media for submission in submissions]
    names = dict(zip(films, film_labels(films), strict=True))
    accepted: list[tuple[Submit, Submitted]] = []
    refused: list[tuple[Submit, CpwError]] = []
    stopped: CpwError | None = None
    interrupted = False
    for submission in submissions:
        name = names[submission.media]
        try:
            reach("cli.submit.before-send")
            answer = _send(desk, asker, submission)
            accepted.append((submission, answer))
            desk.report.progress(f"{name}: submitted as {answer.job}", beside=beside)
            reach("cli.submit.answered")
        except InputError as error:
            # Only this film is wrong: the others are sent.
            refused.append((submission, error))
            desk.report.error(f"{name}: {error.message}", error.remedy)
        except CpwError as error:
            stopped = error
            break
        except KeyboardInterrupt:
            interrupted = True
            break
    return Sent(
        accepted=tuple(accepted),
        refused=tuple(refused),
        names=names,
        stopped=stopped,
        interrupted=interrupted,
    )


def _send(desk: Desk, asker: Asker, submission: Submit) -> Submitted:
    """Send it, and a second time where no answer came: two with the same key become one job."""
    with_key = replace(submission, key=uuid.uuid4().hex)
    try:
        answer: Submitted = asker.ask(with_key, timeout_ms=_ASK_MS)
    except NotRunningError:
        _wait_for_return(desk, asker)
        answer = asker.ask(with_key, timeout_ms=_ASK_MS)
    return answer


def _wait_for_return(desk: Desk, asker: Asker) -> None:
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
