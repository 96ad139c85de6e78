"""How the fetching of a film is shown: one line that changes on a terminal, some lines anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from clients.screen.report import LivePart, Report
from clients.screen.table import Cell
from clients.screen.text import clock, rough, shorten
from protocol.jobs.fetching import FetchedFilm, FetchProgress
from protocol.wording import size

__all__ = ["FetchScreen", "film_facts", "open_fetch_screen", "progress_words"]

_BAR = 20
_STEPS = 10
_LEAST_TITLE = 12


class FetchScreen(Protocol):
    """Shows how far a film is."""

    def show(self, progress: FetchProgress) -> None:
        """Show it as it is now."""
        ...


@contextmanager
def open_fetch_screen(report: Report, *, beside: bool) -> Iterator[FetchScreen]:
    """Return the right kind of screen; `beside` when the answer itself is a JSON document."""
    if beside or not report.interactive:
        yield _FetchLines(report, beside=beside)
        return
    with report.live() as live:
        yield _FetchBar(report, live)


def progress_words(progress: FetchProgress) -> str:
    """Return `34 % of 812 MB, 2 MB/s, about 4 min left`, as far as it is known."""
    of = f" of {size(progress.total_bytes)}" if progress.total_bytes else ""
    share = _share(progress)
    words = [f"{share} %{of}" if share is not None else size(progress.got_bytes) or "0 MB"]
    if progress.bytes_per_s:
        words.append(f"{size(int(progress.bytes_per_s))}/s")
    if progress.left_s:
        words.append(f"about {rough(round(progress.left_s * 1000))} left")
    return ", ".join(words)


def film_facts(film: FetchedFilm) -> str:
    """Return `A title (1:02:03, 700 MB)`, as far as it is known."""
    length = "" if film.length_ms is None else clock(film.length_ms).partition(".")[0]
    facts = [fact for fact in (length, size(film.size_bytes or 0)) if fact]
    return f"{film.title} ({', '.join(facts)})" if facts else film.title


def _share(progress: FetchProgress) -> int | None:
    if not progress.total_bytes:
        return None
    return min(100, 100 * progress.got_bytes // progress.total_bytes)


class _FetchLines:
    """A line at the beginning and at each tenth."""

    def __init__(self, report: Report, *, beside: bool) -> None:
        self._report = report
        self._beside = beside
        self._said: tuple[str, int] = ("", -1)

    def show(self, progress: FetchProgress) -> None:
        share = _share(progress)
        step = (progress.title, 0 if share is None else share * _STEPS // 100)
        if step != self._said:
            self._said = step
            self._report.progress(f"{progress.title}: {progress_words(progress)}", beside=self._beside)


class _FetchBar:
    """One line with a bar, as for films at work."""

    def __init__(self, report: Report, live: LivePart) -> None:
        self._report = report
        self._live = live

    def show(self, progress: FetchProgress) -> None:
        full, empty = self._report.bar_marks[0], self._report.bar_marks[1]
        done = _BAR * (_share(progress) or 0) // 100
        words = f"  {progress_words(progress)}  "
        # Read each time, because people resize their windows.
        room = max(_LEAST_TITLE, (self._report.columns or 80) - _BAR - len(words) - 1)
        bar = Cell(text=full * done, style="running"), Cell(text=empty * (_BAR - done), style="dim")
        self._live.update([(*bar, Cell(text=words), Cell(text=shorten(progress.title, room)))])
