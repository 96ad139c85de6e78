"""Watching folders, with a clock and a coordinator of the test's own."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from clients.cli import main
from clients.desk import Desk
from clients.screen.report import Report
from clients.still_files import Stillness, wait_until_still
from protocol.errors import InputError, MissingError
from tests.unit.clients.cli.test_main import Clock, Shell

OLD_S = 1_700_000_000


def put(film: Path, content: bytes = b"film", at_s: int = OLD_S) -> Path:
    """Leave a film that was last changed at an instant."""
    film.parent.mkdir(parents=True, exist_ok=True)
    film.write_bytes(content)
    os.utime(film, (at_s, at_s))
    return film


class Watcher(Shell):
    """A person at a watch: `events` happen at the pauses, and the last pause is Ctrl-C."""

    def watch(self, *words: str, events: dict[int, Callable[[], object]], pauses: int) -> int:
        clock, count = Clock(), 0

        def pause(seconds: float) -> None:
            nonlocal count
            clock.pause(seconds)
            count += 1
            if count > pauses:
                raise KeyboardInterrupt
            events.get(count, lambda: None)()

        self.streams = (self.stream(), self.stream())
        desk = Desk(
            home=self.home,
            runtime=self.home,
            out=self.home / "out",
            report=Report(*self.streams),
            connect=lambda _: contextlib.nullcontext(self.coordinator),
            clock=clock.read,
            pause=pause,
        )
        return main.run(main.cpw, ["submit", "--watch", "-w", "transcribe", *words], "cpw", desk)

    def submitted(self) -> list[str]:
        """Return the names of the films that were submitted, in their order."""
        return [Path(submission.media).name for submission in self.coordinator.submissions.values()]

    def said(self) -> str:
        """Return all that was shown."""
        return "".join(stream.getvalue() for stream in self.streams)


@pytest.fixture
def watcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watcher:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return Watcher(tmp_path)


def test_a_film_that_comes_is_submitted_once(watcher: Watcher) -> None:
    film = watcher.home / "in" / "deep" / "new.mkv"
    assert watcher.watch("in", events={2: lambda: put(film)}, pauses=12) == 130
    assert watcher.submitted() == ["new.mkv"]


def test_films_that_are_there_already_are_submitted_too(watcher: Watcher) -> None:
    put(watcher.home / "in" / "a.mkv")
    put(watcher.home / "in" / "notes.txt")
    watcher.watch("in", events={}, pauses=5)
    assert watcher.submitted() == ["a.mkv"]


def test_a_film_that_grows_is_waited_for(watcher: Watcher) -> None:
    film = watcher.home / "in" / "new.mkv"
    growing = {number: partial(put, film, b"x" * number, OLD_S + number) for number in range(1, 9)}
    watcher.watch("in", events=growing, pauses=10)
    assert watcher.submitted() == []
    watcher.watch("in", events=growing, pauses=12)
    assert watcher.submitted() == ["new.mkv"]


def test_the_end_of_a_watch_says_that_jobs_go_on(watcher: Watcher) -> None:
    watcher.coordinator.looks = -100
    put(watcher.home / "in" / "a.mkv")
    assert watcher.watch("in", events={}, pauses=5) == 130
    assert "not finished: 1 job, see: cpw status" in watcher.said()


def test_a_coordinator_that_is_away_is_waited_for(watcher: Watcher) -> None:
    put(watcher.home / "in" / "a.mkv")

    def be_silent(silent: bool) -> Callable[[], None]:
        return lambda: setattr(watcher.coordinator, "silent", silent)

    watcher.watch("in", events={1: be_silent(True), 60: be_silent(False)}, pauses=70)
    assert watcher.submitted() == ["a.mkv"]
    assert watcher.said().count("Trying again") == 1


def test_a_refused_film_is_told_and_the_watch_goes_on(watcher: Watcher) -> None:
    watcher.coordinator.refusal = InputError("It is empty.")
    put(watcher.home / "in" / "refused.mkv")
    put(watcher.home / "in" / "b.mkv")
    watcher.watch("in", events={}, pauses=9)
    assert watcher.submitted() == ["b.mkv"]
    assert watcher.said().count("It is empty.") == 1


def test_a_missing_environment_ends_the_watch(watcher: Watcher) -> None:
    watcher.coordinator.refusal = MissingError("whisperx is not built.", "make build")
    put(watcher.home / "in" / "refused.mkv")
    assert watcher.watch("in", events={}, pauses=9) == 3


@pytest.mark.parametrize(
    "words", [("in", "--json"), ("in", "--detach"), ("in", "--title", "x"), ("a.mkv",), ("in", "-s", "xyz")]
)
def test_what_a_watch_cannot_do_is_refused(watcher: Watcher, words: tuple[str, ...]) -> None:
    put(watcher.home / "a.mkv")
    assert watcher.watch(*words, events={}, pauses=0) == 2


def test_a_film_still_being_copied_into_a_folder_is_left_out_with_a_note(
    watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(watcher.home / "in" / "whole.mkv")
    growing = watcher.home / "in" / "growing.mkv"
    growing.write_bytes(b"film")

    def grow(clock: Clock, _: float) -> None:
        clock.now += 0.5
        growing.write_bytes(b"x" * int(clock.now * 2))

    monkeypatch.setattr(Clock, "pause", grow)
    code, _, said = watcher.run("submit", "in", "-w", "transcribe", "--detach")
    assert code == 0
    assert watcher.submitted() == ["whole.mkv"]
    assert "growing.mkv is still being written" in said


def test_a_film_changed_a_moment_ago_is_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    film = tmp_path / "film.mkv"
    film.write_bytes(b"film")
    told: list[int] = []
    assert wait_until_still([film], clock.read, clock.pause, told.append) == []
    assert told == [1]
    assert 3 <= clock.now <= 4


def test_an_old_film_is_not_waited_for(tmp_path: Path) -> None:
    clock = Clock()
    told: list[int] = []
    assert wait_until_still([put(tmp_path / "film.mkv")], clock.read, clock.pause, told.append) == []
    assert (clock.now, told) == (0, [])


def test_an_empty_or_vanished_file_is_never_still(tmp_path: Path) -> None:
    stillness = Stillness(1, filled=True)
    films = [put(tmp_path / "empty.mkv", b""), tmp_path / "gone.mkv"]
    assert [stillness.look(films, float(now)) for now in range(5)] == [[]] * 5


def test_a_name_that_is_not_utf8_is_told_once_and_the_others_go(watcher: Watcher) -> None:
    put(watcher.home / "in" / "a.mkv")
    put(watcher.home / "in" / os.fsdecode(b"caf\xe9.mkv"))
    watcher.watch("in", events={}, pauses=6)
    assert watcher.submitted() == ["a.mkv"]
    assert watcher.said().count("caf\\xe9.mkv: The file's name is not UTF-8.") == 1


def test_a_film_has_the_glossary_of_its_folder_and_a_wrong_one_fails_its_film_once(
    watcher: Watcher, tmp_path: Path
) -> None:
    put(tmp_path / "in" / "good" / "a.mkv")
    (tmp_path / "in" / "good" / ".cpw-glossary.csv").write_text("Jai,Jay\n")
    put(tmp_path / "in" / "bad" / "b.mkv")
    (tmp_path / "in" / "bad" / ".cpw-glossary.csv").write_text("a,b,c,d\n")
    assert watcher.watch("in", events={}, pauses=8) == 130
    (submission,) = watcher.coordinator.submissions.values()
    assert [(term.source, term.target) for term in submission.glossary] == [("Jai", "Jay")]
    assert watcher.said().count("cannot be used: line 1") == 1
