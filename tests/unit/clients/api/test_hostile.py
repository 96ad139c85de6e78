"""What nobody sends in good faith: it is refused with a sentence, and nothing is left behind."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from uvicorn.server import ServerState

from clients.api import server as serving
from clients.api.answers import HttpProblem
from clients.api.bodies import Arriving, parsed, safe_name
from clients.api.door.keys import Keys
from clients.api.door.places import allowed_path
from clients.api.hooks.skipping import why_left_alone
from clients.api.jobs import again, files, jobs, review
from clients.api.jobs.jobs import NewJobs, submissions_of
from clients.api.served import Served
from clients.desk import Desk
from envspecs.http.settings import HttpSettings
from protocol.errors import DiskFullError
from protocol.jobs.voices import SPEAKERS, VOICES
from protocol.messages import JobReport
from protocol.subtitles.corrections import CORRECTIONS

TOKEN = "token"
SETTINGS = HttpSettings()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk at which no coordinator answers."""
    nobody: Any = None
    return Desk(home=tmp_path, runtime=tmp_path, out=tmp_path / "out", report=nobody, connect=nobody)


@pytest.fixture
def app(desk: Desk) -> Starlette:
    return serving.make_app(desk, Keys(token=TOKEN), SETTINGS)


def request(
    method: str = "GET", path: str = "/", *, query: str = "", body: bytes = b"", **headers: str
) -> tuple[dict[str, Any], Any]:
    """Return what a server hands to an application."""
    named = {"host": "localhost", "authorization": f"Bearer {TOKEN}"} | headers
    sent = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in named.items()]
    waiting = [{"type": "http.request", "body": body, "more_body": False}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    scope = {"type": "http", "method": method, "path": path, "headers": sent}
    return scope | {"query_string": query.encode(), "root_path": "", "scheme": "http"}, receive


def answer(app: Starlette, *words: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of an answer."""
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(message)

    asyncio.run(app(*request(*words, **more), send))
    headers = {name.decode(): value.decode() for name, value in told[0]["headers"]}
    return told[0]["status"], headers, b"".join(part.get("body", b"") for part in told[1:])


@pytest.mark.parametrize(
    ("written", "why"),
    [
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b'{"title": "\\ud800"}', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
        (b'{"a": NaN}', "no JSON"),
        (b"[" + b"9" * 5_000 + b"]", "no JSON"),
        (b"\xff", "no JSON"),
    ],
)
def test_json_that_no_file_or_message_can_hold_is_refused(written: bytes, why: str) -> None:
    with pytest.raises(HttpProblem, match=why) as refused:
        parsed(written)
    assert refused.value.status == 400
    assert parsed(b'"\\ud83c\\udfac"') == "\N{CLAPPER BOARD}"


@pytest.mark.parametrize(
    "written", ["a." + "e" * 300, "." * 300 + "a", "a" * 300 + ".mkv", "a." + "\u00e9" * 200]
)
def test_a_name_that_is_made_shorter_is_not_hidden_by_that(written: str) -> None:
    found = safe_name(written)
    assert found.startswith("a")
    assert len(found.encode()) <= 200


def test_a_path_that_can_be_none_or_leads_to_itself_is_refused_with_a_sentence(tmp_path: Path) -> None:
    settings = replace(SETTINGS, media=(tmp_path,))
    (tmp_path / "loop.mkv").symlink_to(tmp_path / "loop.mkv")
    for name in ("\0.mkv", "\ud800.mkv"):
        with pytest.raises(HttpProblem) as refused:
            allowed_path(settings, f"{tmp_path}/{name}")
        assert (refused.value.status, refused.value.code) == (403, "path_outside")
    for name in ("loop.mkv", "a" * 5_000 + ".mkv"):
        film = allowed_path(settings, f"{tmp_path}/{name}")
        assert why_left_alone(film, (tmp_path,)) == "There is no such file here."


def test_no_link_in_a_folder_leads_out_of_what_may_be_read(tmp_path: Path, desk: Desk) -> None:
    media, other = tmp_path / "media", tmp_path / "other"
    for folder in (media, other):
        folder.mkdir()
        (folder / f"{folder.name}.mkv").touch()
    (media / "file.mkv").symlink_to(other / "other.mkv")
    (media / "folder").symlink_to(other)
    nothing: Any = None
    here = Served(
        desk=desk,
        keys=Keys(token=TOKEN),
        settings=replace(SETTINGS, media=(media,)),
        changes=nothing,
        state=tmp_path,
    )
    for written in (f"{media}", f"{media}/**/*.mkv"):
        notes, submissions = submissions_of(here, NewJobs(workflow="transcribe", media=(written,)))
        assert [film.media for film in submissions] == [str(media / "media.mkv")]
        assert len([note for note in notes if "a link leads to it" in note]) == 1
    for written in (f"{media}/f*.mkv", f"{media}/*/*.mkv"):
        with pytest.raises(HttpProblem) as refused:
            submissions_of(here, NewJobs(workflow="transcribe", media=(written,)))
        assert (refused.value.status, refused.value.code) == (403, "path_outside")


@pytest.mark.parametrize("query", ["limit=" + "9" * 5_000, "limit=1e3", "limit=-1"])
def test_a_number_that_is_none_is_refused(app: Starlette, query: str) -> None:
    status, _, body = answer(app, "GET", "/api/jobs", query=query)
    assert (status, "is not a number from 1 to" in body.decode()) == (400, True)


@pytest.mark.parametrize("word", ["Basic \xff=", "Basic %%%", "Bearer \xff"])
def test_a_key_in_no_alphabet_is_a_wrong_key(app: Starlette, word: str) -> None:
    assert answer(app, "GET", "/api/jobs", authorization=word)[0] == 401


def test_a_method_that_an_address_does_not_take_is_told_with_those_it_takes(app: Starlette) -> None:
    status, headers, body = answer(app, "DELETE", "/api/jobs")
    assert (status, headers["allow"]) == (405, "GET, HEAD, POST")
    assert json.loads(body)["error"]["code"] == "method_not_allowed"


def test_asking_for_the_head_of_the_stream_does_not_listen_to_it(app: Starlette) -> None:
    status, headers, body = answer(app, "HEAD", "/api/events")
    assert (status, body) == (200, b"")
    assert headers["content-type"].startswith("text/event-stream")


def test_a_fault_is_answered_as_every_error_is(app: Starlette) -> None:
    app.state.served = None
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    with pytest.raises(AttributeError):  # for the log
        asyncio.run(app(*request("GET", "/api/options"), send))
    assert told[0]["status"] == 500
    assert b"content-security-policy" in dict(told[0]["headers"])
    assert json.loads(told[1]["body"])["error"]["remedy"] == "cpw logs http"


class Full:
    """A file on a disk without a byte left: it says so at the close, too."""

    def close(self) -> None:
        """Refuse what waits."""
        raise OSError(28, "No space left on device")


def test_an_upload_that_fills_the_disk_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_full(descriptor: int, _: str) -> Full:
        os.close(descriptor)
        return Full()

    async def send() -> None:
        async with Arriving(tmp_path, Request(request()[0])):
            assert list(tmp_path.iterdir())

    monkeypatch.setattr(os, "fdopen", open_full)
    with pytest.raises(OSError, match="No space left"):
        asyncio.run(send())
    assert not list(tmp_path.iterdir())


def test_an_upload_that_does_not_say_its_size_leaves_room_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def send() -> None:
        async with Arriving(tmp_path, Request(request()[0])) as arriving:
            await arriving.add(b"film")
            monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000))
            await arriving.finish("film.mkv")

    with pytest.raises(DiskFullError, match="of the disk are free"):
        asyncio.run(send())
    assert not list(tmp_path.iterdir())


def job(folder: Path, state: Any = "done") -> JobReport:
    return JobReport(
        job="job-1",
        state=state,
        media="/films/a.mkv",
        workflow="translate",
        directory=str(folder),
        created_at="",
        elapsed_ms=1,
        fraction=1.0,
        steps=(),
        outputs=(f"{folder}/11_subtitle/A.en.srt",),
    )


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the job that every request finds."""

    async def find(request: Request, name: str = "") -> JobReport:
        return job(tmp_path / "job", "running" if name else "done")

    for module in (again, files, review, jobs):
        monkeypatch.setattr(module, "find_job", find)
    (tmp_path / "job").mkdir()
    return tmp_path / "job"


def test_what_can_tell_whose_voice_it_is_is_neither_listed_nor_sent(app: Starlette, found: Path) -> None:
    kept = [f"{folder}08_diarize/{name}" for folder in ("", "trials/1/") for name in (VOICES, VOICES.upper())]
    kept += [SPEAKERS, f".{SPEAKERS}.7.part"]
    for name in (*kept, "08_diarize/turns.json"):
        (found / name).parent.mkdir(parents=True, exist_ok=True)
        (found / name).write_text("0.25")
    (found / "link.json").symlink_to(found / SPEAKERS)
    base = "/api/jobs/job-1/files"
    listed = json.loads(answer(app, "GET", base)[2])["files"]
    assert [file["path"] for file in listed] == ["08_diarize/turns.json"]
    assert answer(app, "GET", f"{base}/08_diarize/turns.json")[0] == 200
    for name in (*kept, "link.json"):
        status, _, body = answer(app, "GET", f"{base}/{name}")
        assert (status, json.loads(body)["error"]["code"]) == (403, "stays_here"), name


def cue(text: str) -> dict[str, Any]:
    return {"start_ms": 1_000, "end_ms": 2_000, "text": text}


@pytest.mark.parametrize(
    ("language", "change", "why"),
    [
        ("xx", {"old": [], "new": [cue("a")]}, "no subtitles in 'xx'"),
        ("../en", {"old": [], "new": [cue("a")]}, "no subtitles in '../en'"),
        ("en", {"old": [], "new": []}, "neither old cues nor new ones"),
        ("en", {"old": [cue("a")], "new": [cue(" \n ")]}, "has no text"),
        ("en", {"old": [], "new": [cue("a") | {"end_ms": 10**15}]}, "cannot be shown"),
    ],
)
def test_corrections_that_could_never_be_seen_are_refused(
    app: Starlette, found: Path, language: str, change: Any, why: str
) -> None:
    status, _, body = answer(app, "POST", "/api/jobs/job-1/corrections", **saved(language, change))
    assert (status, why in body.decode()) == (400, True)
    assert not list(found.iterdir())


def saved(language: str, change: Any) -> dict[str, Any]:
    body = {"language": language, "base": "", "changes": [change]}
    return {"body": json.dumps(body).encode(), "content_type": "application/json"}


def test_corrections_have_a_sentence_where_there_is_no_place_for_them(app: Starlette, found: Path) -> None:
    wanted = saved("en", {"old": [], "new": [cue("a")]})
    (found / CORRECTIONS).mkdir()
    status, _, body = answer(app, "POST", "/api/jobs/job-1/corrections", **wanted)
    assert (status, "Put an earlier one in its place" in body.decode()) == (422, True)
    shutil.rmtree(found)
    status, _, body = answer(app, "POST", "/api/jobs/job-1/corrections", **wanted)
    assert (status, json.loads(body)["error"]["code"]) == (410, "files_gone")


@pytest.mark.parametrize(
    "second",
    [
        pytest.param(b"G", id="the next request never comes whole"),
        pytest.param(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", id="the body never comes"),
    ],
)
def test_a_connection_that_has_its_answer_does_not_stay_for_ever(
    monkeypatch: pytest.MonkeyPatch, second: bytes
) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async def talk() -> None:
        # As the server's own: only it knows its class.
        config = serving.Server(app).config
        config.load()
        kind: Any = config.http_protocol_class
        monkeypatch.setattr(kind, "rest_s", 0.2)
        loop = asyncio.get_running_loop()
        listening = await loop.create_server(
            lambda: kind(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
        )
        reader, writer = await asyncio.open_connection(*listening.sockets[0].getsockname())
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(second)
        await asyncio.wait_for(reader.read(), 5)
        writer.close()
        listening.close()

    asyncio.run(talk())


@pytest.mark.parametrize(
    "settings", [{"cps": 1}, {"max_lines": 10**40}, {"max_lines": {}}, {"max_graphemes_per_second": "fast"}]
)
def test_a_rule_that_is_none_is_refused_by_its_name(app: Starlette, found: Path, settings: Any) -> None:
    body = json.dumps({"settings": settings}).encode()
    more: dict[str, Any] = {"body": body, "content_type": "application/json"}
    status, _, told = answer(app, "POST", "/api/jobs/job-1/export", **more)
    assert (status, next(iter(settings)) in told.decode()) == (400, True)
    assert not list(found.iterdir())


def test_a_file_whose_name_no_address_can_say_is_not_listed(app: Starlette, found: Path) -> None:
    for name in (b"film.srt", b"caf\xe9.srt"):
        (found / os.fsdecode(name)).touch()
    status, _, told = answer(app, "GET", "/api/jobs/job-1/files")
    assert (status, [file["path"] for file in json.loads(told)["files"]]) == (200, ["film.srt"])


@pytest.mark.parametrize(
    "address", ["https://films.example/a.mp4", "http://10.0.0.1/a.mp4", "file:///etc/passwd"]
)
def test_an_address_is_no_film_over_http(tmp_path: Path, address: str) -> None:
    with pytest.raises(HttpProblem, match="not by a web address") as problem:
        allowed_path(replace(SETTINGS, media=(tmp_path,)), address)
    assert problem.value.status == 403


def test_another_machines_name_of_a_folder_may_look_like_an_address(tmp_path: Path) -> None:
    settings = replace(SETTINGS, media=(tmp_path,), places=(("smb://nas/films", str(tmp_path)),))
    assert allowed_path(settings, "smb://nas/films/a.mkv") == tmp_path / "a.mkv"
