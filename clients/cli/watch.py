"""`cpw submit --watch`: submits each film in a folder once its file has stopped changing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from clients.cli.follow import look, show_refused
from clients.desk import Asker, Desk
from clients.films import find_films
from clients.screen.jobs import FINISHED
from clients.screen.progress import Screen, open_screen
from clients.screen.text import count
from clients.sending import check_running, send
from clients.still_files import Stillness
from clients.submission import Written, read_submissions
from protocol.errors import CpwError, ExitCode, MissingError, TransientError, UsageError
from protocol.messages import JobReport

__all__ = ["watch_folders"]

_STILL_S = 5.0
_LOOK_S = 2.0


@dataclass
class _Watch:
    """What a watch has seen: the films it submitted, their jobs, the last look at each."""

    labels: dict[str, str] = field(default_factory=dict)
    """Job to the name that is shown for it."""
    seen: dict[str, JobReport] = field(default_factory=dict)
    taken: set[Path] = field(default_factory=set)
    stillness: Stillness = field(default_factory=lambda: Stillness(_STILL_S, filled=True))
    trouble: str = ""
    """The last trouble that was shown, so that the same sentence is not shown every two seconds."""

    def pending(self) -> list[str]:
        """Return the jobs that have not ended, as far as is known."""
        return [job for job in self.labels if job not in self.seen or self.seen[job].state not in FINISHED]


def watch_folders(desk: Desk, written: Written) -> ExitCode:
    """Submit the films that are in the folders, and each new one, until interrupted.

    Raises `UsageError` for a word that is no folder, and for options that are wrong for any film.
    """
    folders = _check(desk, written)
    written = replace(written, priority=written.priority or 0)
    with desk.connect(desk.runtime) as asker:
        check_running(desk, asker)
        desk.report.remark(f"watching {', '.join(map(repr, folders))}; Ctrl-C stops watching, not the jobs")
        state = _Watch()
        try:
            with open_screen(desk.report, state.labels, beside=False) as screen:
                while True:
                    _look_once(desk, asker, written, state, screen)
                    desk.pause(_LOOK_S)
        except KeyboardInterrupt:
            pending = state.pending()
            rest = f"; not finished: {count(len(pending), 'job')}, see: cpw status" if pending else ""
            desk.report.remark(f"stopped watching{rest}")
            return ExitCode.INTERRUPTED


def _check(desk: Desk, written: Written) -> list[str]:
    for word in written.media:
        if not Path(word).is_dir():
            raise UsageError(f"--watch needs folders, and {word!r} is not a folder.")
    if written.title is not None:
        raise UsageError("--title is for one film, and --watch submits many.")
    for problem in read_submissions(replace(written, media=()), desk.out).problems:
        raise problem
    return list(written.media)


def _look_once(desk: Desk, asker: Asker, written: Written, state: _Watch, screen: Screen) -> None:
    found = find_films(written.media)
    if misnamed := [film for film in found.misnamed if film not in state.taken]:
        reading = read_submissions(replace(written, media=tuple(map(str, misnamed))), desk.out)
        show_refused(desk.report, reading.refused)
        state.taken |= set(misnamed)
    films = [film for film in found.films if film not in state.taken]
    still = state.stillness.look(films, desk.clock())
    trouble = ""
    try:
        if still:
            _submit(desk, asker, replace(written, media=tuple(map(str, still))), state)
        if pending := state.pending():
            look(asker, pending, list(state.labels), screen, state.seen)
    except (UsageError, MissingError):
        raise
    except CpwError as error:
        # Both can wait: the jobs are in the coordinator's store, and the films stay where they are.
        trouble = f"{error.message} Trying again."
    if trouble and trouble != state.trouble:
        screen.say(trouble)
    state.trouble = trouble


def _submit(desk: Desk, asker: Asker, written: Written, state: _Watch) -> None:
    reading = read_submissions(written, desk.out)
    for problem in reading.problems:
        # A film that is gone again, a glossary that somebody is writing: both may be over at the next look.
        raise TransientError(problem.message, problem.remedy)
    show_refused(desk.report, reading.refused)
    state.taken |= {Path(submission.media) for submission, _ in reading.refused}
    sent = send(desk, asker, reading.submissions, beside=False)
    # A film that was refused is not tried again.
    answered = [submission for submission, _ in (*sent.accepted, *sent.refused)]
    state.taken |= {Path(submission.media) for submission in answered}
    state.labels |= sent.labels()
    if sent.stopped is not None:
        raise sent.stopped
    if sent.interrupted:
        raise KeyboardInterrupt
