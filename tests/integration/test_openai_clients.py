"""OpenAI's own client, unmodified, and curl against `/v1/audio`: engines are made up, all else is real."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from protocol.messages import CancelJobs, JobReport, StatusQuery
from tests.house import until
from tests.http_house import HttpHouse

pytestmark = [
    pytest.mark.integration,
    # The client marks all of `translations` so; other programs use it.
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpHouse]:
    """Return a house with its server, for all tests of this module."""
    with HttpHouse.started(tmp_path_factory.mktemp("openai")) as started:
        yield started


@pytest.fixture
def client(server: HttpHouse) -> Iterator[openai.OpenAI]:
    """Return the client as a program makes it."""
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key=server.keys.token) as made:
        yield made


def jobs(server: HttpHouse) -> list[JobReport]:
    return list(server.house.ask(StatusQuery(limit=100)).jobs)


def jobs_of(server: HttpHouse, content: bytes) -> list[JobReport]:
    """Return the jobs of a film with these bytes."""
    return [job for job in jobs(server) if Path(job.media).read_bytes() == content]


def sound(content: bytes, name: str = "talk.mp3") -> tuple[str, bytes]:
    return (name, content)


def test_every_format_is_answered_from_one_job(server: HttpHouse, client: openai.OpenAI) -> None:
    def ask(**more: Any) -> Any:
        return client.audio.transcriptions.create(model="whisper-1", file=sound(b"formats"), **more)

    assert ask().text == "hello world"
    assert ask(response_format="text") == "hello world\n"
    srt = ask(response_format="srt")
    assert srt.startswith("1\n00:00:00,100 --> 00:00:00,900\nhello world")
    assert "00:00:00" in ask(response_format="vtt")
    long = ask(response_format="verbose_json", timestamp_granularities=["word", "segment"])
    assert (long.task, long.language, long.duration, long.text) == (
        "transcribe",
        "german",
        2.0,
        "hello world",
    )
    segment = long.segments[0].model_dump()
    assert segment["start"] == 0.1
    assert segment["seek"] == 10
    assert [name for name, value in segment.items() if value is None] == []
    assert [(word.word, word.start, word.end) for word in long.words] == [
        ("hello", 0.1, 0.4),
        ("world", 0.5, 0.9),
    ]
    only_words = ask(response_format="verbose_json", timestamp_granularities=["word"])
    assert only_words.segments is None
    assert only_words.words
    assert len(jobs_of(server, b"formats")) == 1


def test_the_job_has_the_files_name_and_comes_before_a_batch(
    server: HttpHouse, client: openai.OpenAI
) -> None:
    client.audio.transcriptions.create(
        model="whisper-1", file=sound(b"named", "Mein Gespräch.mp3"), language="hi", prompt="Rajesh, Ooty"
    )
    (job,) = jobs_of(server, b"named")
    assert Path(job.media).name == "Mein Gespräch.mp3"
    facts = json.loads((Path(job.directory) / "job.json").read_text())
    assert (facts["title"], facts["source_language"]) == ("Mein Gespräch", "hi")
    asked = json.loads((Path(job.directory) / "06_asr" / "asked.json").read_text())
    assert (asked["initial_prompt"], asked["language"]) == ("Rajesh, Ooty", "hi")


def test_a_file_without_a_name_and_one_of_any_order_come_in(server: HttpHouse, client: openai.OpenAI) -> None:
    unnamed = client.audio.transcriptions.create(model="whisper-1", file=io.BytesIO(b"unnamed"))
    assert unnamed.text == "hello world"
    path = server.house.home / "first.wav"
    path.write_bytes(b"file first" * 40_000)
    command = ["curl", "-sS", "-F", f"file=@{path}", "-F", "model=whisper-1", "-F", "response_format=text"]
    command += ["-H", f"Authorization: Bearer {server.keys.token}"]
    ended = subprocess.run(
        [*command, f"{server.address}/v1/audio/transcriptions"], capture_output=True, text=True, check=True
    )
    assert ended.stdout == "hello world\n"


def test_translations_are_in_english_or_in_what_our_field_names(
    server: HttpHouse, client: openai.OpenAI
) -> None:
    long = client.audio.translations.create(
        model="whisper-1", file=sound(b"to english"), response_format="verbose_json"
    )
    assert (long.text, long.language) == ("hello world", "german")
    assert long.model_dump()["task"] == "translate"
    client.audio.transcriptions.create(
        model="whisper-1",
        file=sound(b"ours"),
        response_format="srt",
        extra_body={"target_language": "en", "profile": "bbc"},
    )
    (job,) = jobs_of(server, b"ours")
    assert job.workflow == "translate"
    facts = json.loads((Path(job.directory) / "job.json").read_text())
    assert facts["target_languages"] == ["en"]
    assert facts["parameters"]["subtitle"]["profile"] == "bbc"


def test_a_film_in_the_wanted_language_is_not_translated(client: openai.OpenAI) -> None:
    text = client.audio.translations.create(
        model="whisper-1", file=sound(b"already"), prompt="language:en", response_format="srt"
    )
    assert "hello world" in text


def test_who_gives_up_and_asks_again_gets_the_same_jobs_answer(
    server: HttpHouse, client: openai.OpenAI, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    sent = {"model": "whisper-1", "file": sound(b"slow"), "prompt": f"until:{release}"}
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=1.0, max_retries=1).audio.transcriptions.create(**sent)
    (job,) = jobs_of(server, b"slow")
    assert job.state == "running"
    release.touch()
    assert client.audio.transcriptions.create(**sent).text == "hello world"
    assert len(jobs_of(server, b"slow")) == 1


def test_a_job_that_was_cancelled_goes_on_when_it_is_asked_for_again(
    server: HttpHouse, client: openai.OpenAI, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    sent = {"model": "whisper-1", "file": sound(b"cancelled"), "prompt": f"until:{release}"}
    failures: list[openai.APIStatusError] = []

    def ask() -> None:
        try:
            client.with_options(max_retries=0).audio.transcriptions.create(**sent)
        except openai.APIStatusError as error:
            failures.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    until(lambda: [job for job in jobs_of(server, b"cancelled") if job.state == "running"], what="it runs")
    (job,) = jobs_of(server, b"cancelled")
    server.house.ask(CancelJobs(jobs=(job.job,)))
    asking.join(timeout=30)
    assert [error.status_code for error in failures] == [410]
    release.touch()
    assert client.audio.transcriptions.create(**sent).text == "hello world"
    assert len(jobs_of(server, b"cancelled")) == 1


def test_text_streams_while_it_is_heard(server: HttpHouse, client: openai.OpenAI, tmp_path: Path) -> None:
    release = tmp_path / "release"
    stream = client.audio.transcriptions.create(
        model="whisper-1", file=sound(b"streamed"), prompt=f"heard-until:{release}", stream=True
    )
    found = []
    for event in stream:
        found.append(event)
        if event.type == "transcript.text.delta":
            assert jobs_of(server, b"streamed")[0].state == "running" or release.exists()
            release.touch()
    assert [event.type for event in found] == ["transcript.text.delta", "transcript.text.done"]
    assert found[0].delta.strip() == found[1].text == "hello world"
    assert found[1].segments[0]["end"] == 0.9
    again = client.audio.transcriptions.create(
        model="whisper-1", file=sound(b"streamed"), prompt=f"heard-until:{release}", stream=True
    )
    assert [event.type for event in again] == ["transcript.text.delta", "transcript.text.done"]


def test_a_stream_says_what_went_wrong(client: openai.OpenAI) -> None:
    stream = client.audio.transcriptions.create(model="whisper-1", file=sound(b"bad film"), stream=True)
    with pytest.raises(openai.APIError, match="is not a film"):
        list(stream)


def test_the_client_of_asyncio_is_served_side_by_side(server: HttpHouse) -> None:
    async def ask_many() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{server.address}/v1", api_key=server.keys.token) as client:
            answers = await asyncio.gather(
                *(
                    client.audio.transcriptions.create(model="whisper-1", file=sound(b"async %d" % number))
                    for number in range(3)
                )
            )
            return [answer.text for answer in answers]

    assert asyncio.run(ask_many()) == ["hello world"] * 3


def test_errors_are_those_that_the_client_knows(server: HttpHouse, client: openai.OpenAI) -> None:
    wrong = openai.OpenAI(base_url=f"{server.address}/v1", api_key="wrong")
    with wrong, pytest.raises(openai.AuthenticationError) as refused:
        wrong.models.list()
    assert refused.value.code == "invalid_api_key"
    ask = client.audio.transcriptions.create
    for more, param in (
        ({"extra_body": {"known_speaker_names": ["Anna"]}}, "known_speaker_names"),
        ({"response_format": "docx"}, "response_format"),
        ({"language": "klingon"}, "language"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"temperature": 9.0}, "temperature"),
        ({"extra_body": {"workflow": "dance"}}, "workflow"),
        ({"extra_body": {"stream": "perhaps"}}, "stream"),
    ):
        with pytest.raises(openai.BadRequestError) as wrong_field:
            ask(**{"model": "whisper-1", "file": sound(b"x")} | more)
        assert wrong_field.value.param == param
    with pytest.raises(openai.NotFoundError) as no_model:
        ask(model="whisper-enormous", file=sound(b"x"))
    assert (no_model.value.code, no_model.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.UnprocessableEntityError, match="is not a film"):
        ask(model="whisper-1", file=sound(b"bad film, too"))
    with pytest.raises(openai.BadRequestError, match="empty"):
        ask(model="whisper-1", file=sound(b""))


def test_the_models_that_hear_are_listed(client: openai.OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["whisper-1", "whisper-base"]
    assert client.models.retrieve("whisper-base").object == "model"
    assert client.models.retrieve("whisper-1").id == "whisper-1"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("org/none")
    assert client.audio.transcriptions.create(model="base", file=sound(b"by its short name")).text


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=b", b"--b\r\nnonsense", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nhalf',
            400,
        ),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="prompt"\r\n\r\n'
            + b"x" * 1_100_000
            + b"\r\n--b--\r\n",
            413,
        ),
    ],
)
def test_what_is_no_form_is_refused_and_leaves_nothing(
    server: HttpHouse, kind: str, body: bytes, status: int
) -> None:
    answer = server.ask("POST", "/v1/audio/transcriptions", body, headers={"Content-Type": kind})
    assert answer.status == status, answer.body
    assert list((server.house.home / "out" / "uploads").glob(".*")) == []
