"""Who is let in by the HTTP server, and what it refuses."""

from __future__ import annotations

import base64
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from clients.api.door.door import COOKIE
from clients.api.door.keys import make_once, token_file
from clients.api.events import MOST_STREAMS
from protocol.endpoints import http_address_file
from tests.house import until
from tests.http_house import HttpHouse

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a film that may be named, one that may not, and links between them."""
    root = tmp_path_factory.mktemp("places")
    for name in ("allowed", "other"):
        (root / name).mkdir()
        (root / name / "film.mkv").write_bytes(name.encode())
    (root / "allowed" / "out.mkv").symlink_to(root / "other" / "film.mkv")
    (root / "allowed" / "folder").symlink_to(root / "other")
    return root


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, place: Path) -> Iterator[HttpHouse]:
    """Return a house with its server, for all tests of this module."""
    with HttpHouse.started(
        tmp_path_factory.mktemp("door"),
        CPW_MEDIA=str(place / "allowed"),
        CPW_MEDIA_MAP=f"/tv={place / 'allowed'},D:\\films={place / 'allowed'}",
        CPW_HTTP_HOSTS="mynas.local",
    ) as started:
        yield started


def test_nobody_is_let_in_without_the_token(server: HttpHouse) -> None:
    for path in ("/", "/api/jobs", "/health", "/metrics", "/api/events", "/nothing"):
        answer = server.ask("GET", path, let_in=False)
        assert (answer.status, answer.code) == (401, "invalid_api_key"), path
        assert "cpw web --token" in answer.json["error"]["message"]
    assert server.ask("PUT", "/api/films/a.mkv", b"film", let_in=False).status == 401


@pytest.mark.parametrize(
    "sent",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic " + base64.b64encode(b"cpw:wrong").decode()},
        {"Authorization": "Basic %%%"},
        {"Cookie": f"{COOKIE}=wrong"},
        {"Cookie": f"{COOKIE}="},
    ],
)
def test_a_wrong_key_is_refused(server: HttpHouse, sent: dict[str, str]) -> None:
    assert server.ask("GET", "/api/jobs", headers=sent, let_in=False).status == 401


def test_the_token_opens_as_bearer_and_as_password(server: HttpHouse) -> None:
    word = base64.b64encode(f"anybody:{server.keys.token}".encode()).decode()
    for sent in ({"Authorization": f"Basic {word}"}, {"authorization": f"bearer {server.keys.token}"}):
        assert server.ask("GET", "/api/jobs", headers=sent, let_in=False).status == 200


def test_the_token_is_its_owners_alone(server: HttpHouse) -> None:
    path = token_file(server.house.home / "state")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(base64.urlsafe_b64decode(path.read_text().strip() + "=")) == 32
    assert server.keys.token not in (server.house.home / "logs" / "http.log").read_text()


def test_a_browser_is_let_in_once_and_keeps_a_cookie(server: HttpHouse) -> None:
    word = make_once(server.house.home / "state")
    first = server.ask("GET", f"/?token={word}", let_in=False)
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    for attribute in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert attribute in cookie
    assert server.keys.token not in cookie
    assert server.ask("GET", f"/?token={word}", let_in=False).status == 401
    sent = {"Cookie": cookie.partition(";")[0]}
    assert server.ask("GET", "/api/jobs", headers=sent, let_in=False).status == 200


def test_the_word_of_the_hooks_opens_nothing_else(server: HttpHouse) -> None:
    hooks = {"Authorization": f"Bearer {server.keys.hooks}"}
    assert server.ask("GET", "/api/jobs", headers=hooks, let_in=False).status == 401
    assert server.ask("GET", "/hooks/wrong/plex", let_in=False).status == 401
    assert server.ask("POST", f"/hooks/{server.keys.hooks}/nothing", {}, let_in=False).status == 404


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "", "[::1", "mynas.local.evil"],
)
def test_a_name_that_is_not_ours_is_refused_as_in_dns_rebinding(server: HttpHouse, host: str) -> None:
    answer = server.ask("GET", "/api/jobs", headers={"Host": host})
    assert answer.status in (400, 403)
    assert b"jobs" not in answer.body


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:80", "mynas.local", "localhost."]
)
def test_names_of_this_machine_and_those_allowed_are_ours(server: HttpHouse, host: str) -> None:
    assert server.ask("GET", "/api/jobs", headers={"Host": host}).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1", "file://"])
def test_the_page_of_another_site_is_refused_even_with_the_token(server: HttpHouse, origin: str) -> None:
    for method, path in (("GET", "/api/jobs"), ("POST", "/api/jobs/x/cancel")):
        answer = server.ask(method, path, headers={"Origin": origin})
        assert (answer.status, answer.code) == (403, "foreign_origin")
        assert "access-control-allow-origin" not in answer.headers


def test_the_form_of_another_site_is_refused(server: HttpHouse) -> None:
    """A form cannot send JSON, and a browser says where it comes from."""
    cookie = {"Cookie": f"{COOKIE}={server.keys.session}"}
    form = cookie | {"Content-Type": "application/x-www-form-urlencoded"}
    for more in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        answer = server.ask("POST", "/api/jobs", b"workflow=subtitle", headers=form | more, let_in=False)
        assert (answer.status, answer.code) == (403, "foreign_origin")
    own = form | {"Origin": server.address}
    assert server.ask("POST", "/api/jobs", b"workflow=subtitle", headers=own, let_in=False).status == 415


def test_every_answer_forbids_what_a_browser_need_not_do(server: HttpHouse) -> None:
    for answer in (server.ask("GET", "/api/jobs"), server.ask("GET", "/api/jobs", let_in=False)):
        assert answer.headers["content-security-policy"].startswith("default-src 'self'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    "written",
    ["other/film.mkv", "allowed/../other/film.mkv", "allowed/out.mkv", "allowed/folder/film.mkv", "*/*"],
)
def test_a_path_outside_of_the_media_folders_is_refused(server: HttpHouse, place: Path, written: str) -> None:
    answer = server.ask("POST", "/api/jobs", {"media": [f"{place}/{written}"], "workflow": "transcribe"})
    assert (answer.status, answer.code) == (403, "path_outside")
    gone = server.ask("POST", "/api/jobs", {"media": ["/not/there.mkv"], "workflow": "transcribe"})
    assert gone.json == answer.json, "nobody learns by it what lies elsewhere"


@pytest.mark.parametrize("written", ["/tv/film.mkv", "D:\\films\\film.mkv"])
def test_a_path_of_another_machine_is_translated(server: HttpHouse, written: str) -> None:
    answer = server.ask("POST", "/api/jobs", {"media": [written], "workflow": "transcribe"})
    assert answer.status == 201
    report = server.house.ended(answer.json["jobs"][0]["job"])
    assert report.media.endswith("/allowed/film.mkv")
    assert server.ask("GET", f"/api/jobs/{report.job}/media").body == b"allowed"


def test_no_path_leads_out_of_a_job_folder(server: HttpHouse, place: Path) -> None:
    report = server.house.ended(server.house.submit(workflow="transcribe"))
    base = f"/api/jobs/{report.job}/files"
    names = [file["path"] for file in server.ask("GET", base).json["files"]]
    assert "job.json" in names
    assert server.ask("GET", f"{base}/job.json").status == 200
    (Path(report.directory) / "link.txt").symlink_to(place / "other" / "film.mkv")
    for path in (
        "../job.json",
        "..%2fjob.json",
        "%2e%2e/%2e%2e/x",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "link.txt",
        "",
        ".",
    ):
        answer = server.ask("GET", f"{base}/{path}")
        assert answer.status == 404 or (path == "" and answer.json["files"]), path
    assert server.ask("GET", "/api/jobs/..%2f..%2fetc/files").status == 404


def test_what_is_not_known_in_a_submission_is_refused_by_name(server: HttpHouse) -> None:
    answer = server.ask(
        "POST", "/api/jobs", {"media": ["/tv/film.mkv"], "workflow": "transcribe", "modle": "x"}
    )
    assert (answer.status, answer.json["error"]["param"]) == (400, "NewJobs.modle")
    no_json = server.ask("POST", "/api/jobs", b"{", headers={"Content-Type": "application/json"})
    assert no_json.status == 400


def test_a_claim_of_more_than_the_disk_has_is_refused_before_a_byte_is_read(server: HttpHouse) -> None:
    connection = server.connection()
    connection.putrequest("PUT", "/api/films/big.mkv")
    for name, value in (server.bearer | {"Content-Length": str(10**15)}).items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 507
    assert b"MB of the disk are free" in answer.read()
    connection.close()
    assert list((server.house.home / "out" / "uploads").glob(".*")) == []


def test_a_head_without_end_and_a_body_too_large_are_refused(server: HttpHouse) -> None:
    with socket.create_connection(tuple_of(server.netloc), timeout=30) as line:
        line.sendall(b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000)
        assert line.recv(100).startswith(b"HTTP/1.1 400")
    large = server.ask(
        "POST", "/api/jobs", b"{" + b" " * 5_000_000, headers={"Content-Type": "application/json"}
    )
    assert large.status == 413


def test_an_upload_that_is_cut_off_leaves_nothing(server: HttpHouse) -> None:
    uploads = server.house.home / "out" / "uploads"
    with socket.create_connection(tuple_of(server.netloc), timeout=30) as line:
        head = "PUT /api/films/half.mkv HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        line.sendall(f"{head}Authorization: Bearer {server.keys.token}\r\n\r\n".encode() + b"x" * 70_000)
        until(lambda: list(uploads.glob(".*.part")), what="the upload has begun")
    until(lambda: not list(uploads.glob(".*")), what="nothing is left of it")


def test_the_same_bytes_sent_twice_are_one_file(server: HttpHouse) -> None:
    first = server.ask("PUT", "/api/films/a%20film.mkv", b"the same")
    second = server.ask("PUT", "/api/films/another.mkv", b"the same")
    assert first.status == second.status == 201
    assert first.json == second.json
    assert first.json["name"] == "a film.mkv"
    submitted = server.ask("POST", "/api/jobs", {"upload": first.json["upload"], "workflow": "transcribe"})
    report = server.house.ended(submitted.json["jobs"][0]["job"])
    assert (report.state, Path(report.media).name) == ("done", "a film.mkv")


@pytest.mark.parametrize(
    "name", ["..", "%2e%2e%2fx.mkv", ".hidden", "-o", "a%00b.mkv", "%ff.mkv", "x" * 300 + ".mkv"]
)
def test_a_name_cannot_leave_its_folder(server: HttpHouse, name: str) -> None:
    answer = server.ask("PUT", f"/api/films/{name}", name.encode())
    if answer.status == 201:
        path = next((server.house.home / "out" / "uploads" / answer.json["upload"]).iterdir())
        assert path.read_bytes() == name.encode()
        assert not path.name.startswith((".", "-"))
    else:
        assert answer.status in (400, 404)
    assert server.ask("PUT", "/api/films/empty.mkv", b"").status == 400


def test_streams_are_bounded_and_an_open_one_costs_the_others_nothing(server: HttpHouse) -> None:
    lines = []
    try:
        for _ in range(MOST_STREAMS):
            connection = server.connection()
            connection.request("GET", "/api/events", headers=server.bearer)
            lines.append(connection)
        assert {line.getresponse().status for line in lines} == {200}
        refused = server.ask("GET", "/api/events")
        assert (refused.status, refused.code) == (503, "too_many_streams")
        assert server.ask("GET", "/api/jobs").status == 200
    finally:
        for line in lines:
            line.close()

    def has_room() -> bool:
        connection = server.connection()
        connection.request("GET", "/api/events", headers=server.bearer)
        status = connection.getresponse().status
        connection.close()
        return status == 200

    until(has_room, what="the closed streams are counted no more")


def test_the_address_says_where_it_listens(server: HttpHouse) -> None:
    assert http_address_file(server.house.runtime).read_text() == f"{server.address}\n"
    assert server.address.startswith("http://127.0.0.1:")


def tuple_of(netloc: str) -> tuple[str, int]:
    host, _, port = netloc.rpartition(":")
    return host, int(port)
