"""Bazarr's two calls as its provider sends them, and players that read subtitles by address.

Source of the calls: bazarr, `subliminal_patch/providers/whisperai.py`: one part without a type, raw samples,
and an answer whose status nobody looks at.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import threading
import wave
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from protocol.messages import JobReport, StatusQuery
from tests.house import REAL_COMMON_STAGES, House, until
from tests.http_house import Answer, HttpHouse
from workers.engines.common.film import ffmpeg as program

pytestmark = pytest.mark.integration

_SECOND = b"\x00\x10" * 16_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpHouse]:
    """Return a house that reads sound and writes subtitles in earnest; what is heard is made up."""
    path = tmp_path_factory.mktemp("bazarr")
    with House(path, common=REAL_COMMON_STAGES, CPW_HTTP="127.0.0.1:0") as house:
        house.start()
        yield HttpHouse(house)


def post(server: HttpHouse, path: str, sound: bytes, **query: str) -> Answer:
    """Send what the provider sends, by `requests`: Basic from the address, one part."""
    head = b'--b0\r\nContent-Disposition: form-data; name="audio_file"; filename="audio_file"\r\n\r\n'
    word = base64.b64encode(f"cpw:{server.keys.token}".encode()).decode()
    headers = {
        "User-Agent": "Subliminal/2.1",
        "Content-Type": "multipart/form-data; boundary=b0",
        "Authorization": f"Basic {word}",
    }
    body = head + sound + b"\r\n--b0--\r\n"
    return server.ask("POST", f"{path}?{urlencode(query)}", body, headers=headers, let_in=False)


def jobs(server: HttpHouse) -> list[JobReport]:
    return list(server.house.ask(StatusQuery(limit=100)).jobs)


def test_raw_samples_become_subtitles_and_the_film_gives_the_name(server: HttpHouse) -> None:
    answer = post(
        server,
        "/asr",
        _SECOND * 2,
        task="transcribe",
        language="hi",
        output="srt",
        encode="false",
        video_file="D:\\Films\\Mein Film (2020).mkv",
    )
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.body.decode().startswith("1\n00:00:00,100 --> 00:00:0")
    assert b"hello world" in answer.body
    job = server.house.job(answer.headers["x-cpw-job"])
    facts = json.loads((Path(job.directory) / "job.json").read_text())
    assert (facts["title"], facts["source_language"]) == ("Mein Film (2020)", "hi")
    with wave.open(job.media) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (16_000, 1, 32_000)


@pytest.mark.parametrize("output", ["txt", "srt", "vtt", "tsv", "json"])
def test_every_output_is_made_of_the_same_job(server: HttpHouse, output: str) -> None:
    before = len(jobs(server))
    answer = post(server, "/asr", _SECOND * 3, output=output, encode="false")
    assert answer.status == 200
    assert b"hello world" in answer.body
    assert f'audio file.{output}"' in answer.headers["content-disposition"]
    begins = {"vtt": "WEBVTT", "tsv": "start\tend\ttext\n", "json": '{"text": "hello world", "segments"'}
    assert answer.body.decode().startswith(begins.get(output, ""))
    assert len(jobs(server)) - before <= 1


def test_a_file_with_a_head_is_taken_as_it_is(server: HttpHouse, tmp_path: Path) -> None:
    path = tmp_path / "talk.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(_SECOND * 4)
    for encode in ("true", "false"):
        answer = post(server, "/asr", path.read_bytes(), task="translate", output="srt", encode=encode)
        assert b"hello world" in answer.body
        assert Path(server.house.job(answer.headers["x-cpw-job"]).media).read_bytes() == path.read_bytes()


def test_the_language_is_told_by_a_stretch_of_the_film_and_then_by_its_job(server: HttpHouse) -> None:
    sound = _SECOND * 90
    for _ in range(2):
        answer = post(server, "/detect-language", sound, encode="false", video_file="/tv/a.mkv")
        assert answer.json == {"detected_language": "german", "language_code": "de", "confidence": 0.9}
    (clip,) = (job for job in jobs(server) if "a.wav" in job.media)
    facts = json.loads((Path(clip.directory) / "job.json").read_text())
    assert (facts["start_ms"], facts["end_ms"]) == (30_000, 60_000)


def test_a_film_of_unknown_length_that_is_short_is_heard_whole(server: HttpHouse, tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(_SECOND * 5)
    answer = post(server, "/detect-language", path.read_bytes())
    assert answer.json["language_code"] == "de"


def test_what_cannot_be_heard_is_answered_by_a_sentence(server: HttpHouse) -> None:
    for path in ("/asr", "/detect-language"):
        answer = post(server, path, b"this is no sound at all" * 1000)
        assert answer.status == 422, answer.body
        assert answer.json["error"]["message"]
        assert post(server, path, b"", encode="false").status == 400
    assert post(server, "/asr", _SECOND, output="docx").status == 400
    assert post(server, "/asr", _SECOND, task="sing").status == 400
    assert server.ask("GET", "/status").json["version"].startswith("cpw")


def test_a_sender_hears_why_even_where_all_it_sends_is_refused(server: HttpHouse) -> None:
    """It sends to the end before it listens: an answer before that would be a reset, and a day without us."""
    body = b'--b0\r\nContent-Disposition: form-data; name="other"\r\n\r\n' + b"x" * 30_000_000
    headers = server.bearer | {"Content-Type": "multipart/form-data; boundary=b0"}
    answer = server.ask("POST", "/asr?encode=false", body + b"\r\n--b0--\r\n", headers=headers)
    assert answer.status == 413


def test_a_request_waits_while_the_coordinator_is_away(server: HttpHouse) -> None:
    answers: list[Answer] = []
    coordinator = server.house.supervisor_state()["children"]["coordinator"]["pid"]
    os.kill(coordinator, signal.SIGKILL)
    asking = threading.Thread(
        target=lambda: answers.append(post(server, "/asr", _SECOND * 6, output="srt", encode="false"))
    )
    asking.start()
    asking.join(timeout=60)
    assert [answer.status for answer in answers] == [200]
    until(lambda: (health := server.house.health()) is not None and health.healthy, what="it is back")


def test_a_player_reads_subtitles_by_address(server: HttpHouse) -> None:
    answer = post(server, "/asr", _SECOND * 7, output="srt", encode="false", language="de")
    job = answer.headers["x-cpw-job"]
    address = f"http://cpw:{quote(server.keys.token)}@{server.netloc}/api/jobs/{job}/tracks/de.vtt"
    command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-i", address, "-f", "srt", "-"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "hello world" in ended.stdout, ended.stderr


def test_a_connection_that_is_left_costs_nothing(server: HttpHouse) -> None:
    connection = http.client.HTTPConnection(server.netloc, timeout=10)
    body = b'--b\r\nContent-Disposition: form-data; name="audio_file"; filename="a"\r\n\r\n' + _SECOND * 8
    headers = server.bearer | {"Content-Type": "multipart/form-data; boundary=b"}
    connection.request(
        "POST", "/asr?encode=false&output=srt&video_file=left.mkv", body + b"\r\n--b--\r\n", headers
    )
    until(lambda: any("left.wav" in job.media for job in jobs(server)), what="the job is there")
    connection.close()
    (job,) = (job for job in jobs(server) if "left.wav" in job.media)
    assert server.house.ended(job.job).state == "done"
