"""Watching folders: each film that comes in is submitted once it has kept still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from clients.cli.follow import look
from clients.cli.submit import Manner, Sent, greet, send, tell
from clients.desk import Asker, Desk
from clients.films import find_films, is_utf8
from clients.screen.progress import Screen, open_screen
from clients.screen.text import count
from clients.screen.views import FINISHED
from clients.still_files import Stillness
from clients.submission import Written, read_wishes
from protocol.errors import CpwError, ExitCode, MissingError, UsageError
from protocol.messages import JobReport, Submit

__all__ = ["STILL_S", "watch"]

STILL_S = 5.0
_LOOK_S = 2.0


@dataclass
class _Watch:
    """What a watch has seen: the films it submitted, their jobs, the last look at each."""

    labels: dict[str, str] = field(default_factory=dict)
    seen: dict[str, JobReport] = field(default_factory=dict)
    taken: set[Path] = field(default_factory=set)
    stillness: Stillness = field(default_factory=lambda: Stillness(STILL_S, filled=True))
    trouble: str = ""
    """What was said last of why nothing goes on; the same is not said every two seconds."""

    def pending(self) -> list[str]:
        """Return the jobs that have not ended, as far as is known."""
        return [
            label for label in self.labels if label not in self.seen or self.seen[label].state not in FINISHED
        ]


def watch(desk: Desk, written: Written) -> ExitCode:
    """Submit the films in the folders and those that come, until interrupted.

    Raises `UsageError` for what is no folder, and for words that are wrong for any film.
    """
    folders = _check(desk, written)
    written = replace(written, priority=written.priority or 0)
    with desk.connect(desk.runtime) as asker:
        greet(desk, asker)
        desk.report.remark(f"watching {', '.join(map(repr, folders))}; Ctrl-C ends it, not the jobs")
        state = _Watch()
        try:
            with open_screen(desk.report, state.labels, beside=False) as screen:
                while True:
                    _round(desk, asker, written, state, screen)
                    desk.pause(_LOOK_S)
        except KeyboardInterrupt:
            going = state.pending()
            goes = f"; {count(len(going), 'job')} under way, watch with: cpw status" if going else ""
            desk.report.remark(f"no longer watching{goes}")
            return ExitCode.INTERRUPTED


def _check(desk: Desk, written: Written) -> list[str]:
    for word in written.media:
        if not Path(word).is_dir():
            raise UsageError(f"--watch watches folders, and {word!r} is none.")
    if written.title is not None:
        raise UsageError("--title names one film, and --watch takes many.")
    for problem in read_wishes(replace(written, media=()), desk.out).problems:
        raise problem
    return list(written.media)


def _round(desk: Desk, asker: Asker, written: Written, state: _Watch, screen: Screen) -> None:
    found = find_films(written.media).films
    films = [film for film in found if film not in state.taken and is_utf8(str(film))]
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
        # The jobs are the store's, and the films stay where they are: both can wait.
        trouble = f"{error.message} Trying again."
    if trouble and trouble != state.trouble:
        screen.say(trouble)
    state.trouble = trouble


def _submit(desk: Desk, asker: Asker, written: Written, state: _Watch) -> None:
    reading = read_wishes(written, desk.out)
    sent = send(desk, asker, reading.wishes)
    state.taken |= {Path(wish.media) for wish in _heard(sent)}
    state.labels |= sent.labels()
    tell(desk, replace(sent, stopped=None), Manner())
    if sent.stopped is not None:
        raise sent.stopped


def _heard(sent: Sent) -> Sequence[Submit]:
    """Return the wishes that were answered, whatever the answer was."""
    return [*(wish for wish, _ in sent.accepted), *(wish for wish, _ in sent.refused)]
