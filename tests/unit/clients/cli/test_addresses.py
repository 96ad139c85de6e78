"""`cpw submit` with web addresses, up to the program that fetches."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients.addresses import fetching
from clients.addresses.words import FetchOptions, check_address, is_address, parse_size, without_password
from protocol.errors import ErrorInfo, ErrorKind, NotRunningError, UsageError
from protocol.jobs.fetching import FetchedFilm, FetchLine, FetchOrder, FetchProgress
from protocol.messages import HealthReport, Submit, Submitted
from tests.unit.clients.cli.test_jobs import Shell

ADDRESS = "https://films.example/watch?v=1"
SPEC = """
name = "web"
purpose = "for a test"
requirements = []
worker = false
optional = true

[programs]
fetch = "workers.engines.web.fetch"
"""


def answer(message: Any) -> Any:
    if isinstance(message, Submit):
        return Submitted(job="job-1", directory="/jobs/1")
    return HealthReport(
        healthy=True, run="1", pid=1, uptime_ms=1, environments=(), jobs_running=0, jobs_queued=0
    )


class Site:
    """Stands for the program that fetches: what it says, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.orders: list[FetchOrder] = []
        self.facts: dict[str, Any] = {"title": "A Title"}
        self.errors: dict[str, ErrorInfo] = {}

    def __call__(self, home: Path, order: FetchOrder, see: Callable[[FetchLine], None]) -> None:
        self.orders.append(order)
        if order.address in self.errors:
            see(FetchLine(error=self.errors[order.address]))
            return
        path = self.folder / f"A Title [{len(self.orders)}].mp4"
        path.write_bytes(b"film")
        for share in range(11):
            see(
                FetchLine(progress=FetchProgress(title="A Title", got_bytes=share * 10**8, total_bytes=10**9))
            )
        see(FetchLine(film=FetchedFilm(path=str(path), new=True, **self.facts)))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    (tmp_path / "envspecs").mkdir()
    (tmp_path / "envspecs" / "web.toml").write_text(SPEC)
    stands_in = Site(tmp_path)
    monkeypatch.setattr(fetching, "fetch", stands_in)
    monkeypatch.setattr(fetching, "build_state", lambda *_: "built")
    monkeypatch.setenv("CPW_FILMS", str(tmp_path / "films"))
    return stands_in


def sent(shell: Shell) -> list[Submit]:
    return [message for message in shell.asked if isinstance(message, Submit)]


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("https://x.example/a.mp4", True),
        ("HTTP://x", True),
        ("file:///etc/passwd", True),
        ("film.mp4", False),
        ("C:/film.mp4", False),
        ("https:/x", False),
        ("a b://c", False),
        ("https://x\0", False),
    ],
)
def test_an_address_is_known_by_its_beginning(word: str, answer: bool) -> None:
    assert is_address(word) is answer


def test_a_file_of_such_a_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "http:").mkdir()
    (tmp_path / "http:" / "film.mp4").touch()
    monkeypatch.chdir(tmp_path)
    assert not is_address("http://film.mp4")


@pytest.mark.parametrize(
    ("written", "size"),
    [
        (None, 0),
        ("4G", 4 * 10**9),
        ("700 MB", 7 * 10**8),
        ("1.5gb", 1_500_000_000),
        ("10k", 10_000),
        ("9", 9),
    ],
)
def test_a_size_is_read(written: str | None, size: int) -> None:
    assert parse_size(written) == size


@pytest.mark.parametrize("written", ["", "much", "-4G", "0", "4X"])
def test_what_is_no_size_is_refused(written: str) -> None:
    with pytest.raises(UsageError, match="--max-size"):
        parse_size(written)


def test_options_that_say_something_are_named() -> None:
    assert FetchOptions().used() == ""
    assert FetchOptions(cookies="x").used() == "--cookies"


def test_the_title_the_year_and_the_language_of_the_site_are_the_jobs(tmp_path: Path, site: Site) -> None:
    site.facts |= {"year": 1975, "language": "hi-IN"}
    shell = Shell(tmp_path, answer)
    code, _, err = shell.run("submit", ADDRESS, "-w", "translate", "-d")
    assert code == 0
    (submission,) = sent(shell)
    assert (submission.title, submission.year, submission.source_language) == ("A Title", 1975, "hi")
    assert submission.media == str(tmp_path / "A Title [1].mp4")
    assert submission.priority == 10
    assert "note: A Title: its site says that Hindi is spoken; -s LANG says otherwise." in err


@pytest.mark.parametrize(
    ("words", "language"),
    [(("-s", "ta"), "ta"), (("--audio-track", "1"), None), (("-t", "hi"), None), ((), "hi")],
)
def test_the_site_names_the_language_only_where_nobody_else_does(
    tmp_path: Path, site: Site, words: tuple[str, ...], language: str | None
) -> None:
    site.facts |= {"language": "hi", "year": 1975}
    shell = Shell(tmp_path, answer)
    assert shell.run("submit", ADDRESS, "-w", "translate", "-d", "--year", "1999", *words)[0] == 0
    assert [(one.source_language, one.year) for one in sent(shell)] == [(language, 1999)]


@pytest.mark.parametrize("language", [None, "", "und", "xx-klingon"])
def test_a_language_that_nobody_knows_is_detected(tmp_path: Path, site: Site, language: str | None) -> None:
    site.facts |= {"language": language}
    shell = Shell(tmp_path, answer)
    assert shell.run("submit", ADDRESS, "-w", "transcribe", "-d", "--title", "Mine")[0] == 0
    assert [(one.source_language, one.title) for one in sent(shell)] == [(None, "Mine")]


def test_the_wishes_reach_the_program_and_progress_the_screen(tmp_path: Path, site: Site) -> None:
    (tmp_path / "cookies.txt").touch()
    words = ("--cookies", str(tmp_path / "cookies.txt"), "--max-size", "4G", "--allow-local", "--playlist")
    code, out, _ = Shell(tmp_path, answer).run("submit", ADDRESS, "-w", "transcribe", "-d", *words)
    assert code == 0
    assert site.orders == [
        FetchOrder(
            address=ADDRESS,
            folder=str(tmp_path / "films"),
            playlist=True,
            allow_local=True,
            cookies=str(tmp_path / "cookies.txt"),
            most_bytes=4 * 10**9,
        )
    ]
    assert "A Title: 0 % of 1.0 GB" in out
    assert "A Title: 100 % of 1.0 GB" in out


def test_what_else_is_wrong_is_said_before_anything_is_fetched(tmp_path: Path, site: Site) -> None:
    for words in (
        ("-s", "klingon"),
        ("no-such-file.mkv",),
        ("--max-size", "much"),
        (ADDRESS, "--title", "X"),
    ):
        code, _, err = Shell(tmp_path, answer).run("submit", ADDRESS, "-w", "transcribe", *words)
        assert (code, err[:7]) == (2, "error: "), words
    assert site.orders == []


def test_where_nothing_runs_nothing_is_fetched(tmp_path: Path, site: Site) -> None:
    def silent(_: Any) -> Any:
        raise NotRunningError("Nobody answers.", "make up")

    assert Shell(tmp_path, silent).run("submit", ADDRESS, "-w", "transcribe")[0] == 4
    assert site.orders == []


def test_the_command_that_builds_the_environment_is_named(tmp_path: Path, site: Site, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "build_state", lambda *_: "missing")
    code, _, err = Shell(tmp_path, answer).run("submit", ADDRESS, "-w", "transcribe")
    assert code == 3
    assert "try: python3 -m envspecs build web" in err


def test_options_for_addresses_need_one(tmp_path: Path) -> None:
    (tmp_path / "a.mkv").touch()
    code, _, err = Shell(tmp_path, answer).run(
        "submit", str(tmp_path / "a.mkv"), "-w", "transcribe", "--playlist"
    )
    assert code == 2
    assert "--playlist is for web addresses" in err


def test_watch_takes_no_address(tmp_path: Path, site: Site) -> None:
    code, _, err = Shell(tmp_path, answer).run("submit", ADDRESS, "-w", "transcribe", "--watch")
    assert code == 2
    assert "--watch is for folders, not for web addresses." in err


def test_a_full_disk_and_a_lone_refusal_end_the_command(tmp_path: Path, site: Site) -> None:
    site.errors[ADDRESS] = ErrorInfo(
        kind=ErrorKind.DISK_FULL, message="No space is left.", remedy="Make room."
    )
    shell = Shell(tmp_path, answer)
    code, _, err = shell.run("submit", ADDRESS, "-w", "transcribe")
    assert (code, err.splitlines()[:2]) == (1, ["error: No space is left.", "  try: Make room."])
    assert sent(shell) == []


def test_the_same_film_under_two_addresses_is_one_job(tmp_path: Path, site: Site, monkeypatch) -> None:
    film = FetchedFilm(path=str(tmp_path / "one.mp4"), title="One")
    (tmp_path / "one.mp4").write_bytes(b"film")
    monkeypatch.setattr(fetching, "fetch", lambda home, order, see: see(FetchLine(film=film)))
    shell = Shell(tmp_path, answer)
    assert shell.run("submit", ADDRESS, f"{ADDRESS}&t=1", "-w", "transcribe", "-d")[0] == 0
    assert len(sent(shell)) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://asha:s3cret@host/f.mp4 answers 404", "http://asha:***@host/f.mp4 answers 404"),
        ("https://host:8080/a@b:c", "https://host:8080/a@b:c"),
    ],
)
def test_a_password_in_an_address_is_shown_to_nobody(text: str, shown: str) -> None:
    assert without_password(text) == shown


@pytest.mark.parametrize(
    "word", ["http://host:99999/x", "https://host:port/x", "http:///film.mp4", "http://[::1/x"]
)
def test_what_cannot_be_an_address_is_refused_before_anything_is_fetched(word: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        check_address(word)


@pytest.mark.parametrize(
    "word", ["http://host:8080/x", "https://host/x", "HTTP://127.0.0.1/x", "ftp://host:99999/x"]
)
def test_what_can_be_an_address_is_left_to_who_fetches_it(word: str) -> None:
    check_address(word)
