"""Films from a web server on this machine, by the real program in its real environment."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.addresses.program import fetch
from envspecs.layout import home, interpreter
from protocol.errors import ErrorInfo, ErrorKind
from protocol.jobs.fetching import FetchedFilm, FetchLine, FetchOrder
from protocol.schema import to_plain
from tests.film_server import FilmServer, film_server, make_film, put_streams
from tests.house import until
from workers.engines.common.film.probe import probe

pytestmark = [pytest.mark.env("ytdlp"), pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def server(film: bytes) -> Iterator[FilmServer]:
    with film_server(film) as films:
        yield films


class Fetches:
    """Fetches into one folder and keeps what was said."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines: list[FetchLine] = []

    def fetch(self, address: str, **wishes: Any) -> list[FetchLine]:
        wishes = {"allow_local": True, "retries": 0} | wishes
        self.lines = []
        fetch(home(), FetchOrder(address=address, folder=str(self.folder), **wishes), self.lines.append)
        return self.lines

    def film(self, address: str, **wishes: Any) -> FetchedFilm:
        """Return the only film of the address."""
        films = [line.film for line in self.fetch(address, **wishes) if line.film is not None]
        assert len(films) == 1, self.lines
        return films[0]

    def error(self, address: str, **wishes: Any) -> ErrorInfo:
        """Return why the address gave no film; nothing whole lies in the folder then."""
        errors = [line.error for line in self.fetch(address, **wishes) if line.error is not None]
        assert len(errors) == 1, self.lines
        assert self.whole() == []
        return errors[0]

    def whole(self) -> list[Path]:
        """Return the whole films in the folder: `Title [key].mp4`, not the pieces of one."""
        endings = ("mp4", "mkv")
        return sorted(path for path in self.folder.glob("*") if path.name.rpartition("].")[2] in endings)


@pytest.fixture
def fetches(tmp_path: Path) -> Fetches:
    return Fetches(tmp_path / "films")


def test_a_film_is_fetched_once_and_found_the_second_time(fetches: Fetches, server: FilmServer) -> None:
    first = fetches.film(server.address("/film.mp4"))
    assert (first.new, first.title, first.size_bytes) == (True, "film", len(server.film))
    assert Path(first.path).read_bytes() == server.film
    asked = len(server.asked)
    second = fetches.film(server.address("/film.mp4"))
    assert (second.new, second.path) == (False, first.path)
    assert len(server.asked) == asked + 1, "the site was asked which film it is, and for no film"


def test_two_films_of_one_name_at_two_addresses_are_two(fetches: Fetches, server: FilmServer) -> None:
    server.bodies["/other/film.mp4"] = ("video/mp4", server.film + b"\0" * 8)
    one, two = (fetches.film(server.address(path)) for path in ("/film.mp4", "/other/film.mp4"))
    assert one.path != two.path
    assert Path(two.path).stat().st_size == len(server.film) + 8


def test_progress_is_told(fetches: Fetches, server: FilmServer) -> None:
    told = [line.progress for line in fetches.fetch(server.address("/film.mp4")) if line.progress]
    assert told
    assert (told[0].title, told[0].total_bytes) == ("film", len(server.film))


def test_a_page_gives_its_film_under_its_own_title(fetches: Fetches, server: FilmServer) -> None:
    found = fetches.film(server.address("/page.html"))
    assert found.title == "A film of ours"
    assert Path(found.path).read_bytes() == server.film


def test_bytes_without_a_kind_are_a_film_where_the_name_says_so(fetches: Fetches, server: FilmServer) -> None:
    assert Path(fetches.film(server.address("/bare.mkv")).path).suffix == ".mkv"


@pytest.mark.parametrize("path", ["/bare", "/archive.zip"])
def test_bytes_that_nobody_calls_a_film_are_not_fetched(
    fetches: Fetches, server: FilmServer, path: str
) -> None:
    error = fetches.error(server.address(path))
    assert "is not a film" in error.message
    assert list(fetches.folder.iterdir()) == []


@pytest.mark.parametrize("path", ["/list.mp4", "/concat.mp4", "/false.mp4", "/empty.mp4"])
def test_what_only_has_a_films_name_is_refused_and_removed(
    fetches: Fetches, server: FilmServer, path: str
) -> None:
    error = fetches.error(server.address(path))
    assert error.kind is ErrorKind.INPUT
    assert server.address(path) in error.message
    assert fetches.whole() == []


def test_picture_and_sound_in_pieces_become_one_film(
    fetches: Fetches, server: FilmServer, film: bytes, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(film)
    put_streams(server, tmp_path / "film.mp4", tmp_path / "pieces")
    found = fetches.film(server.address("/master.m3u8"))
    facts = probe(Path(found.path)).facts
    assert (facts.has_video, len(facts.audio_tracks)) == (True, 1)
    assert found.language == "hi"
    assert list(fetches.folder.iterdir()) == [Path(found.path)]


def test_a_piece_that_lists_files_of_this_machine_is_not_opened(
    fetches: Fetches, server: FilmServer, film: bytes, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(film)
    put_streams(server, tmp_path / "film.mp4", tmp_path / "pieces")
    fetches.folder.mkdir()
    (fetches.folder / "secret.avi").write_bytes(film)
    # ffmpeg itself follows such a list, where nobody tells it which containers it may open.
    ours = [path for path in sorted(server.bodies) if path.startswith("/picture") and path.endswith(".ts")]
    for path in ours:
        text = b"ffconcat version 1.0\nfile secret.avi\n" if path == ours[0] else b"# nothing\n"
        server.bodies[path] = ("video/mp2t", text)
    error = fetches.error(server.address("/master.m3u8"))
    assert "could not be joined" in error.message


# --- lists ------------------------------------------------------------------------------------------


def test_a_list_is_refused_unless_it_was_asked_for(fetches: Fetches, server: FilmServer) -> None:
    error = fetches.error(server.address("/three.html"))
    assert error.kind is ErrorKind.USAGE
    assert "--playlist" in error.remedy
    films = [line.film for line in fetches.fetch(server.address("/three.html"), playlist=True) if line.film]
    assert [film.title for film in films] == [f"Three films ({number})" for number in (1, 2, 3)]
    assert len({film.path for film in films}) == 3


def test_a_film_of_a_list_that_fails_does_not_keep_the_others(fetches: Fetches, server: FilmServer) -> None:
    server.bodies["/two.mp4"] = ("video/mp4", b"#EXTM3U\n")
    lines = fetches.fetch(server.address("/three.html"), playlist=True)
    assert len([line for line in lines if line.film]) == 2
    assert [line.title for line in lines if line.error] == ["Three films (2)"]


def test_a_feed_with_a_film_and_a_page_of_films_gives_all_of_them(
    fetches: Fetches, server: FilmServer
) -> None:
    items = "".join(
        f"<item><title>{path}</title><link>{server.address(path)}</link></item>"
        for path in ("/film.mp4", "/three.html", "/status/404/x.mp4")
    )
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Feed</title>{items}</channel></rss>'
    server.bodies["/feed.xml"] = ("application/rss+xml", feed.encode())
    lines = fetches.fetch(server.address("/feed.xml"), playlist=True)
    assert len({line.film.path for line in lines if line.film}) == 4
    assert [(line.title, "404" in line.error.message) for line in lines if line.error] == [
        ("/status/404/x.mp4", True)
    ]


def test_a_folder_that_cannot_be_written_to_is_told(server: FilmServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = Fetches(tmp_path / "file" / "films").error(server.address("/film.mp4"))
    assert error.kind is ErrorKind.USAGE
    assert "CPW_FILMS" in error.remedy
    assert server.asked == []


# --- what may be reached ----------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/film.mp4", "/page.html", "/redir"])
def test_this_machine_is_not_asked_without_leave(fetches: Fetches, server: FilmServer, path: str) -> None:
    server.redirects["/redir"] = server.address("/film.mp4")
    error = fetches.error(server.address(path), allow_local=False)
    assert "is not a public address" in error.message
    assert "--allow-local" in error.remedy
    assert server.asked == []


@pytest.mark.parametrize(
    "host", ["localhost", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
def test_other_names_of_this_machine_are_no_way_in(fetches: Fetches, server: FilmServer, host: str) -> None:
    address = f"http://{host}:{server.port}/film.mp4"
    assert "is not a public address" in fetches.error(address, allow_local=False).message
    assert server.asked == []


BEHIND_A_WALL = """
import socket, sys
real = socket.getaddrinfo
def world(host, port, *words, **named):
    # As if the test's server were in the world: this name alone, and the walls stand behind it.
    if host == "films.example":
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("{public}", port))]
    return real(host, port, *words, **named)
socket.getaddrinfo = world
connect = socket.socket.connect
def way(self, address):
    return connect(self, ("127.0.0.1", {port}) if address[0] == "{public}" else address)
import workers.engines.ytdlp.guard as guard
check = guard.Guard._check_connection
def seen(self, address):
    # The one way into the test's server; what asks for anything else is judged as ever.
    if address == ("127.0.0.1", {port}) and sys._getframe(3).f_code is way.__code__:
        return
    check(self, address)
guard.Guard._check_connection = seen
socket.socket.connect = way
from workers.engines.ytdlp.fetch import main
sys.exit(main())
"""


@pytest.mark.parametrize("path", ["/redir", "/inner.html"])
def test_a_public_server_that_leads_into_this_network_is_not_followed(
    fetches: Fetches, server: FilmServer, path: str
) -> None:
    server.redirects["/redir"] = f"http://localhost:{server.port}/film.mp4"
    server.bodies["/inner.html"] = (
        "text/html",
        f'<html><body><video src="http://localhost:{server.port}/film.mp4"></video></body></html>'.encode(),
    )
    program = BEHIND_A_WALL.format(public="93.184.216.34", port=server.port)
    order = FetchOrder(address=f"http://films.example{path}", folder=str(fetches.folder), retries=0)
    said = run(program, order)
    assert "leads to localhost, which is not a public address." in said, said
    assert [asked for asked, _ in server.asked] == [path], "the page was asked for, and nothing behind it"
    assert fetches.whole() == []


def run(program: str, order: FetchOrder) -> str:
    """Run a program in the environment with the order, and return what it writes."""
    done = subprocess.run(
        [interpreter("ytdlp"), "-I", "-c", program],
        input=json.dumps(to_plain(order)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


def test_a_proxy_is_asked_with_leave_only(
    fetches: Fetches, server: FilmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would look up the name itself, where nobody here sees what it stands for.
    monkeypatch.setenv("http_proxy", server.address(""))
    address = "http://films.invalid/film.mp4"
    assert "cannot be reached" in fetches.error(address, allow_local=False).message
    assert server.asked == []
    assert Path(fetches.film(address).path).read_bytes() == server.film


def test_what_only_another_program_could_fetch_is_refused(
    fetches: Fetches, server: FilmServer, film: bytes, tmp_path: Path
) -> None:
    (tmp_path / "film.mp4").write_bytes(film)
    put_streams(server, tmp_path / "film.mp4", tmp_path / "pieces")
    kind, text = server.bodies["/picture.m3u8"]
    locked = text.replace(b"#EXTINF", b'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/key"\n#EXTINF', 1)
    server.bodies["/picture.m3u8"] = (kind, locked)
    error = fetches.error(server.address("/picture.m3u8"))
    assert "a program that opens addresses by itself" in error.message
    assert not any(path.endswith(".ts") for path, _ in server.asked)


def test_a_redirect_to_a_file_is_refused(fetches: Fetches, server: FilmServer) -> None:
    error = fetches.error(server.address("/redirfile"))
    assert "is not in the web" in error.message
    assert error.kind is ErrorKind.INPUT


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "ftp://films.example/a.mp4", "rtmp://x/y", "http://"]
)
def test_only_the_web_is_asked(fetches: Fetches, address: str) -> None:
    error = fetches.error(address)
    assert error.kind is ErrorKind.USAGE
    assert "https://" in error.remedy


@pytest.mark.parametrize("scheme", ["ftp", "file"])
def test_a_page_leads_to_no_other_scheme(fetches: Fetches, server: FilmServer, scheme: str) -> None:
    server.bodies["/odd.html"] = (
        "text/html",
        f'<html><title>Odd</title><body><video src="{scheme}://localhost/etc/a.mp4"></video></body></html>'.encode(),
    )
    error = fetches.error(server.address("/odd.html"))
    assert fetches.whole() == []
    assert error.kind is ErrorKind.INPUT
    assert "could not be fetched" in error.message or "not an address of the web" in error.message


# --- breaks -----------------------------------------------------------------------------------------


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke(
    fetches: Fetches, server: FilmServer
) -> None:
    server.cuts = 2  # of the question which film it is, and of the film
    found = fetches.film(server.address("/cut.mp4"), retries=2)
    assert Path(found.path).read_bytes() == server.film
    assert [asked for asked in server.ranges("/cut.mp4") if asked] != []


def test_what_broke_off_for_good_is_resumed_by_the_next_command(fetches: Fetches, server: FilmServer) -> None:
    server.cuts = 2
    error = fetches.error(server.address("/cut.mp4"))
    assert error.kind is ErrorKind.TRANSIENT
    assert "same command" in error.remedy
    part = next(fetches.folder.glob("*.part"))
    there = part.stat().st_size
    assert 0 < there < len(server.film)
    found = fetches.film(server.address("/cut.mp4"))
    assert f"bytes={there}-" in server.ranges("/cut.mp4")
    assert Path(found.path).read_bytes() == server.film
    assert list(fetches.folder.iterdir()) == [Path(found.path)]


def test_ctrl_c_keeps_what_came_and_the_next_command_goes_on_with_it(
    fetches: Fetches, server: FilmServer
) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted_when(server.half_given, fetches, server.address("/slow.mp4"))
    there = next(fetches.folder.glob("*.part")).stat().st_size
    assert there > 0
    assert fetches.whole() == []
    server.going_on.set()
    found = fetches.film(server.address("/slow.mp4"))
    assert f"bytes={there}-" in server.ranges("/slow.mp4")
    assert Path(found.path).read_bytes() == server.film


def interrupted_when(given: threading.Event, fetches: Fetches, address: str) -> None:
    """Fetch, and press Ctrl-C when half of the film came."""

    def see(line: FetchLine) -> None:
        if line.progress is not None and given.wait(30):
            signal.raise_signal(signal.SIGINT)

    order = FetchOrder(address=address, folder=str(fetches.folder), allow_local=True)
    fetch(home(), order, see)


def test_who_fetches_for_nobody_ends_and_keeps_what_came(fetches: Fetches, server: FilmServer) -> None:
    order = FetchOrder(address=server.address("/slow.mp4"), folder=str(fetches.folder), allow_local=True)
    command = [interpreter("ytdlp"), "-I", "-m", "workers.engines.ytdlp.fetch"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(to_plain(order)).encode())
        process.stdin.close()
        assert b"progress" in process.stdout.readline()
        process.stdout.close()  # as if the one who asked were killed
        until(lambda: next(fetches.folder.glob("*.part")).stat().st_size > 1_024, what="more of the film")
        server.going_on.set()
        assert process.wait(30) == 130
    assert fetches.whole() == []


# --- what else goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/status/404/film.mp4", ErrorKind.INPUT, "404"),
        ("/status/403/film.mp4", ErrorKind.INPUT, "403"),
        ("/status/503/film.mp4", ErrorKind.TRANSIENT, "503"),
        ("/words.html", ErrorKind.INPUT, "No film was found"),
    ],
)
def test_what_a_site_answers_is_told(
    fetches: Fetches, server: FilmServer, path: str, kind: ErrorKind, words: str
) -> None:
    error = fetches.error(server.address(path))
    assert (error.kind, words in error.message, bool(error.remedy)) == (kind, True, True), error


def test_a_film_that_is_too_large_is_an_error_and_no_success(fetches: Fetches, server: FilmServer) -> None:
    error = fetches.error(server.address("/film.mp4"), most_bytes=1_000)
    assert "is larger than" in error.message
    assert "--max-size" in error.remedy


def test_a_film_is_looked_up_without_being_fetched(fetches: Fetches, server: FilmServer) -> None:
    found = fetches.film(server.address("/page.html"), look_only=True)
    assert (found.title, found.path, found.new) == ("A film of ours", "", False)
    assert list(fetches.folder.iterdir()) == []


@pytest.mark.parametrize("text", ["", "key=value\n", '[{"name": "key", "value": "secret"}]'])
def test_cookies_in_another_form_are_refused_and_not_told(
    fetches: Fetches, server: FilmServer, tmp_path: Path, text: str
) -> None:
    cookies = tmp_path / "cookies.txt"
    cookies.write_text(text)
    cookies.chmod(0o600)
    error = fetches.error(server.address("/film.mp4"), cookies=str(cookies))
    assert error.kind is ErrorKind.USAGE
    assert error.message == f"{cookies} holds no cookies in the form that is read here."
    assert not server.asked


def test_a_folder_is_no_file_of_cookies(fetches: Fetches, server: FilmServer, tmp_path: Path) -> None:
    error = fetches.error(server.address("/film.mp4"), cookies=str(tmp_path))
    assert error.message == f"{tmp_path} is not a file of cookies."


def test_cookies_that_others_can_read_are_refused_and_others_are_not_written_to(
    fetches: Fetches, server: FilmServer, tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tkey\tvalue\n"
    cookies.write_text(text)
    cookies.chmod(0o644)
    error = fetches.error(server.address("/film.mp4"), cookies=str(cookies))
    assert error.remedy == f"chmod 600 {cookies}"
    cookies.chmod(0o600)
    assert fetches.film(server.address("/film.mp4"), cookies=str(cookies)).new
    assert cookies.read_text() == text
    assert "key=value" in server.cookies
