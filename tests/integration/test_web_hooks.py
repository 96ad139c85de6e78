"""Media servers' web hooks, the servers themselves made up: a film comes, its subtitles lie beside it."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.house import until
from tests.http_house import Answer, HttpHouse
from workers.engines.common.film import ffmpeg as program

pytestmark = pytest.mark.integration


@dataclass
class Away:
    """Plex, Jellyfin, and somebody who is told of jobs, in one server."""

    films: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, path: str, headers: Any) -> Any:
        """Return the document at a path; None: there is none."""
        token = headers.get("X-Plex-Token") or headers.get("Authorization") or ""
        self.asked.append((path, token))
        item = path.rpartition("/")[2]
        if path == "/Users":
            return [{"Id": "guest", "Policy": {}}, {"Id": "admin", "Policy": {"IsAdministrator": True}}]
        if path.startswith("/Users/admin/Items/") and item in self.films:
            return {"Path": self.films[item], "IsFolder": False}
        if path.startswith("/library/metadata/") and item in self.films:
            part = {"file": self.films[item]}
            return {"MediaContainer": {"Metadata": [{"Media": [{"Part": [part]}]}]}}
        return None

    def handler(self) -> type[BaseHTTPRequestHandler]:
        """Return what serves it."""
        away = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = away.answer(self.path, self.headers)
                self.send_response(200 if found is not None else 404)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                away.told.append(json.loads(self.rfile.read(size)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture(scope="module")
def away() -> Iterator[tuple[Away, str]]:
    made = Away()
    with ThreadingHTTPServer(("127.0.0.1", 0), made.handler()) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield made, f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("library")


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, library: Path, away: tuple[Away, str]
) -> Iterator[HttpHouse]:
    """Return a house with its server, for all tests of this module."""
    token = tmp_path_factory.mktemp("tokens") / "token"
    token.write_text("media-secret\n")
    with HttpHouse.started(
        tmp_path_factory.mktemp("hooks"),
        CPW_MEDIA=str(library),
        CPW_MEDIA_MAP=f"/tv={library},D:\\films={library}",
        CPW_HOOK_EVENTS="added,played",
        CPW_PLEX=away[1],
        CPW_PLEX_TOKEN_FILE=str(token),
        CPW_JELLYFIN=away[1],
        CPW_JELLYFIN_TOKEN_FILE=str(token),
        CPW_WEBHOOK_URL=f"{away[1]}/told?key=told-secret",
    ) as started:
        yield started


def call(server: HttpHouse, name: str, body: Any, kind: str = "application/json") -> Answer:
    """Send a hook as a server does: without a token, with the word in the path."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": kind} if kind else {}
    path = f"/hooks/{server.keys.hooks}/{name}"
    return server.ask("POST", path, sent, headers=headers, let_in=False)


def film_in(library: Path, name: str) -> Path:
    path = library / name
    path.write_bytes(name.encode())
    return path


def made(server: HttpHouse, answer: Answer) -> str:
    """Wait for the one job of an answer, and return its notes."""
    assert answer.status == 202, answer.body
    (job,) = answer.json["jobs"]
    report = server.house.ended(job["job"])
    assert report.state == "done", report.error
    return " ".join(report.notes)


def test_a_film_of_radarr_gets_its_subtitles_beside_it(server: HttpHouse, library: Path) -> None:
    film = film_in(library, "Radarr's Film (2020).mkv")
    payload = {
        "eventType": "Download",
        "movie": {"title": "Film", "folderPath": "D:\\films"},
        "movieFile": {"relativePath": film.name},
    }
    assert "Radarr's Film (2020).en.srt lies beside the film." in made(
        server, call(server, "radarr", payload)
    )
    assert "hello world" in film.with_name("Radarr's Film (2020).en.srt").read_text()
    again = call(server, "radarr", payload)
    assert again.status == 200
    assert again.json["skipped"][0]["why"] == "It has subtitles already: en."


def test_an_episode_of_sonarr_is_told_of_by_tautulli_too_and_is_one_job(
    server: HttpHouse, library: Path, tmp_path: Path
) -> None:
    film = film_in(library, "S01E01.mkv")
    payload = {
        "eventType": "Download",
        "series": {"path": "/tv"},
        "episodeFile": {"path": f"/tv/{film.name}"},
    }
    first = call(server, "sonarr", payload)
    second = call(server, "tautulli", {"event": "added", "file": f"/tv/{film.name}", "mediatype": "episode"})
    made(server, first)
    assert second.json["jobs"] in ([], first.json["jobs"])


def test_plex_is_asked_where_the_film_lies(server: HttpHouse, library: Path, away: tuple[Away, str]) -> None:
    film = film_in(library, "Plex.mkv")
    away[0].films["12345"] = f"/tv/{film.name}"
    payload = json.dumps({"event": "library.new", "Metadata": {"ratingKey": "12345"}})
    body = (
        '--b\r\nContent-Disposition: form-data; name="payload"\r\nContent-Type: application/json\r\n\r\n'
        f'{payload}\r\n--b\r\nContent-Disposition: form-data; name="thumb"; filename="thumb.jpg"\r\n'
        f"Content-Type: image/jpeg\r\n\r\n{'x' * 2_000_000}\r\n--b--\r\n"
    )
    made(server, call(server, "plex", body.encode(), "multipart/form-data; boundary=b"))
    assert film.with_name("Plex.en.srt").exists()
    assert ("/library/metadata/12345", "media-secret") in away[0].asked
    unknown = {"payload": json.dumps({"event": "media.play", "Metadata": {"ratingKey": "999"}})}
    refused = call(server, "plex", urlencode(unknown).encode(), "application/x-www-form-urlencoded")
    assert refused.status == 503
    assert "it answers 404" in refused.json["error"]["message"]


def test_jellyfin_is_asked_as_its_administrator(
    server: HttpHouse, library: Path, away: tuple[Away, str]
) -> None:
    film = film_in(library, "Jellyfin.mkv")
    away[0].films["f27caa37"] = f"/tv/{film.name}"
    # The plugin sends text/plain where nobody has set a header.
    made(
        server,
        call(server, "jellyfin", {"NotificationType": "ItemAdded", "ItemId": "f27caa37"}, "text/plain"),
    )
    assert film.with_name("Jellyfin.en.srt").exists()
    assert away[0].asked[-1] == ("/Users/admin/Items/f27caa37", 'MediaBrowser Token="media-secret"')


def test_a_film_that_is_played_at_emby_comes_first(server: HttpHouse, library: Path) -> None:
    film = film_in(library, "Emby.mkv")
    data = {"data": json.dumps({"Event": "playback.start", "Item": {"Path": f"/tv/{film.name}"}})}
    made(server, call(server, "emby", urlencode(data).encode(), "application/x-www-form-urlencoded"))
    assert film.with_name("Emby.en.srt").exists()


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("emby", {"Event": "system.notificationtest"}),
        ("sonarr", {"eventType": "Test", "series": {"path": "/x"}, "episodes": []}),
        ("radarr", {"eventType": "Test"}),
        ("plex", {"event": "media.stop"}),
        ("tautulli", {"event": ""}),
        ("jellyfin", {}),
    ],
)
def test_a_test_and_what_makes_no_film_are_answered_well(
    server: HttpHouse, name: str, payload: dict[str, Any]
) -> None:
    answer = call(server, name, payload)
    assert (answer.status, answer.json["jobs"], bool(answer.json["why"])) == (200, [], True)


def test_films_that_are_left_alone_are_named_with_the_reason(server: HttpHouse, library: Path) -> None:
    (library / "unwanted").mkdir()
    (library / "unwanted" / ".nosub").touch()
    film_in(library, "unwanted/a.mkv")
    film = film_in(library, "bought.mkv")
    film.with_name("bought.eng.srt").write_text("bought")
    for path, why in (
        ("/etc/passwd", "does not lie in a folder"),
        (f"{library}/../x.mkv", "does not lie in a folder"),
        ("/tv/gone.mkv", "no such file"),
        ("/tv/unwanted/a.mkv", ".nosub lies in unwanted"),
        ("/tv/bought.mkv", "has subtitles already"),
    ):
        answer = call(server, "tautulli", {"event": "added", "file": path})
        assert answer.status == 200
        assert why in answer.json["skipped"][0]["why"], path


def test_subtitles_inside_the_film_are_subtitles(server: HttpHouse, library: Path, tmp_path: Path) -> None:
    text = tmp_path / "a.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    film = library / "inside.mkv"
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", "sine=d=1"]
    command += ["-i", str(text), "-metadata:s:s:0", "language=eng", str(film)]
    subprocess.run(command, check=True)
    answer = call(server, "tautulli", {"event": "added", "file": str(film)})
    assert answer.json["skipped"][0]["why"] == "It has subtitles already: en."


def test_what_cannot_be_read_is_refused(server: HttpHouse) -> None:
    assert call(server, "radarr", b"{").status == 400
    assert call(server, "radarr", b"[]").status == 400
    assert call(server, "radarr", b"x" * 2_000_000).status == 413
    assert call(server, "kodi", {}).status == 404


def test_the_end_of_a_job_is_told_and_no_secret_is_written(server: HttpHouse, away: tuple[Away, str]) -> None:
    job = server.house.submit(workflow="translate", target_languages=("en",))
    failed = server.house.submit(b"bad film", workflow="transcribe")
    until(lambda: {job, failed} <= {said["job"] for said in away[0].told}, what="both are told")
    told = {said["job"]: said for said in away[0].told}
    assert (told[job]["event"], told[job]["state"], told[job]["error"]) == ("job.ended", "done", None)
    assert told[job]["outputs"]
    assert "is not a film" in told[failed]["error"]["message"]
    log = (server.house.home / "logs" / "http.log").read_text()
    assert "secret" not in log
