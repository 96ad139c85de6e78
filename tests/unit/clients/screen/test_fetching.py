"""How a film that is fetched is shown."""

from __future__ import annotations

import io
from typing import Any

import pytest

from clients.screen.fetching import film_facts, open_fetch_screen, progress_words
from clients.screen.report import Report
from protocol.jobs.fetching import FetchedFilm, FetchProgress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def progress(got: int, **more: Any) -> FetchProgress:
    return FetchProgress(title="A Title", got_bytes=got, **more)


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (
            progress(340 * 10**6, total_bytes=10**9, bytes_per_s=2e6, left_s=330.0),
            "34 % of 1.0 GB, 2 MB/s, about 5.5 min left",
        ),
        (progress(340 * 10**6), "340 MB"),
        (progress(0), "0 MB"),
        (progress(2 * 10**9, total_bytes=10**9), "100 % of 1.0 GB"),
    ],
)
def test_what_is_known_is_said(told: FetchProgress, words: str) -> None:
    assert progress_words(told) == words


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"length_ms": 3_723_000, "size_bytes": 700 * 10**6}, "A Title (01:02:03, 700 MB)"),
        ({"size_bytes": 700 * 10**6}, "A Title (700 MB)"),
        ({}, "A Title"),
    ],
)
def test_a_film_is_named_with_its_facts(facts: dict[str, int], words: str) -> None:
    assert film_facts(FetchedFilm(title="A Title", **facts)) == words


def test_without_a_terminal_a_line_is_written_at_each_tenth() -> None:
    out, err = io.StringIO(), io.StringIO()
    with open_fetch_screen(Report(out, err), beside=False) as screen:
        for share in range(101):
            screen.show(progress(share * 10**7, total_bytes=10**9))
    assert len(out.getvalue().splitlines()) == 11
    with open_fetch_screen(Report(out, err), beside=True) as screen:
        screen.show(progress(5))
        screen.show(progress(6))
    assert err.getvalue() == "A Title: 1 MB\n"


def test_on_a_terminal_one_line_changes_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "60")
    out = Terminal()
    with open_fetch_screen(Report(out, io.StringIO()), beside=False) as screen:
        screen.show(FetchProgress(title="A very long title " * 5, got_bytes=5 * 10**8, total_bytes=10**9))
    shown = out.getvalue()
    assert "━" * 10 in shown
    assert "50 % of 1.0 GB" in shown
    assert "A very" in shown
    assert "A very long title A very long title A very" not in shown
