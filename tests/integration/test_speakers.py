"""Names of voices through a whole house: by the shell, over HTTP, in the next episode and in a new job."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types.audio import TranscriptionDiarized

from clients.cli import main
from clients.desk import Desk, connect
from clients.screen.report import Report
from protocol.messages import JobReport, Submit
from tests.house import COMMON_STAGES, REAL_COMMON_STAGES, SPEECH_STAGES, House
from tests.http_house import HttpHouse
from tests.ill.voices import spoken_by

pytestmark = pytest.mark.integration

# Real cleaning gives the words their speakers.
COMMON = COMMON_STAGES | {
    "clean": REAL_COMMON_STAGES["clean"],
    "subtitle": "tests.ill.voices:NamingSubtitle",
}
SPEECH = SPEECH_STAGES | {"diarize": "tests.ill.voices:PlayedDiarize"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpHouse]:
    path = tmp_path_factory.mktemp("speakers")
    with House(path, common=COMMON, speech=SPEECH, CPW_HTTP="127.0.0.1:0", CPW_SETUP="off") as house:
        house.start()
        yield HttpHouse(house)


def done(server: HttpHouse, film: str, *people: str, **fields: Any) -> JobReport:
    """Return a job that is done, of a film in which these people speak."""
    media = server.house.home / film
    media.parent.mkdir(parents=True, exist_ok=True)
    if people:
        media.write_bytes(spoken_by(*people))
    asked = {"with_stages": ("diarize",)} | fields
    submit = Submit(media=str(media), workflow="subtitle", user="tester", out=str(server.house.out), **asked)
    report = server.house.ended(server.house.ask(submit).job)
    assert report.state == "done", report.error
    return report


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


def cpw(server: HttpHouse, *words: str) -> Ended:
    """Run the command against the house."""
    house, out, err = server.house, io.StringIO(), io.StringIO()
    desk = Desk(
        home=house.home, runtime=house.runtime, out=house.out, report=Report(out, err), connect=connect
    )
    return Ended(main.run(main.cpw, words, "cpw", desk), out.getvalue(), err.getvalue())


def speakers(server: HttpHouse, *words: str) -> Any:
    ended = cpw(server, "speakers", *words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def names_written(job: JobReport) -> dict[str, str]:
    """Return the names that the subtitles were made with."""
    found: dict[str, str] = json.loads(next(Path(job.directory).glob("11_subtitle/names.json")).read_text())
    return found


def written(job: JobReport, ending: str) -> str:
    return next(Path(job.directory).glob(f"11_subtitle/*.{ending}")).read_text()


def exported(server: HttpHouse, job: str) -> str:
    """Return subtitles that are made by other rules, long after the job."""
    answer = server.ask("GET", f"/api/jobs/{job}/tracks/de.vtt?profile=bbc")
    assert answer.status == 200, answer.body
    return answer.body.decode()


def called(document: Any) -> dict[str, tuple[str, str]]:
    return {voice["id"]: (voice["name"], voice["by"]) for voice in document["voices"]}


def test_a_voice_named_once_has_its_name_in_the_next_episode(server: HttpHouse) -> None:
    first = done(server, "Ramgarh S01E01.mkv", "gabbar", "basanti")
    assert names_written(first) == {}
    shown = speakers(server, first.job)
    assert called(shown) == {"1": ("", ""), "2": ("", "")}
    assert [line["text"] for voice in shown["voices"] for line in voice["first_lines"]] == ["hello", "world"]
    named = speakers(server, first.job, "--name", "1=Gabbar", "--name", "2=Basanti")
    assert "subtitle-source" in named["steps"]
    assert "mux" in named["steps"]
    assert "asr" not in named["steps"]
    again = server.house.ended(first.job)
    assert names_written(again) == {"1": "Gabbar", "2": "Basanti"}
    for track in (written(again, "vtt"), exported(server, first.job)):
        assert "<v Gabbar>" in track
        assert "<v Basanti>" in track

    second = done(server, "Ramgarh S01E02.mkv", "jai", "basanti", "gabbar")
    assert names_written(second) == {"2": "Basanti", "3": "Gabbar"}
    assert called(speakers(server, second.job)) == {
        "1": ("", ""),
        "2": ("Basanti", "series"),
        "3": ("Gabbar", "series"),
    }
    told = cpw(server, "speakers", second.job)
    assert told.code == 0
    assert re.search(r"^2 +Basanti +known \(9\d %\) +.* world$", told.out, re.MULTILINE)
    assert f"cpw speakers {second.job} --name 1=NAME" in told.err
    assert names_written(done(server, "Another.mkv", "gabbar")) == {}

    known = cpw(server, "speakers", "--known").out
    assert "Ramgarh" in known
    assert "Basanti" in known
    for job in (first, second):
        kept = "".join(
            (Path(job.directory) / name).read_text() for name in ("job.json", "manifest.json")
        ) + "".join(path.read_text() for path in (Path(job.directory) / "logs").rglob("*.log"))
        assert "Gabbar" not in kept
        assert '"embedding"' not in kept


def test_a_new_job_of_the_film_and_a_retry_have_the_names_that_were_given(server: HttpHouse) -> None:
    first = done(server, "Film of its own.mkv", "veeru", "jai")
    speakers(server, first.job, "--name", "2=Jai")
    server.house.ended(first.job)
    # Other settings are another diarize step: nothing is taken over but the names.
    again = done(server, "Film of its own.mkv", parameters={"diarize": {"speakers": "2"}})
    assert f"Voices are called as in {first.job}, where they are told apart." in again.notes
    assert called(speakers(server, again.job)) == {"1": ("", ""), "2": ("Jai", "person")}
    assert names_written(again) == {"2": "Jai"}
    speakers(server, again.job, "--name", "2=")
    assert names_written(server.house.ended(again.job)) == {}
    assert speakers(server, "--known", "--series", "film of its own")["voices"] == []


def test_known_voices_are_their_owners_alone_and_can_be_forgotten(server: HttpHouse) -> None:
    job = done(server, "Malgudi 1x01.mkv", "swami", "mani")
    speakers(server, job.job, "--name", "1=Swami", "--name", "2=Mani")
    server.house.ended(job.job)
    folder = server.house.home / "state" / "voices"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in folder.iterdir())
    forgotten = speakers(server, "--forget", "Swami", "--series", "Malgudi")
    assert [voice["name"] for voice in forgotten["forgotten"]] == ["Swami"]
    assert names_written(done(server, "Malgudi 1x02.mkv", "mani", "swami")) == {"1": "Mani"}
    assert cpw(server, "speakers", "--forget", "Swami").code == 2
    speakers(server, "--forget-all")
    assert list(folder.iterdir()) == []
    assert names_written(done(server, "Malgudi 1x03.mkv", "swami", "mani")) == {}


def test_what_is_wrong_is_said_with_what_to_do(server: HttpHouse) -> None:
    silent = done(server, "Untold.mkv", "anyone", with_stages=())
    refused = cpw(server, "speakers", silent.job)
    assert refused.code == 2
    assert "--with diarize" in refused.err
    assert server.ask("GET", f"/api/jobs/{silent.job}/speakers").json["told_apart"] == "no"
    assert server.ask("POST", f"/api/jobs/{silent.job}/speakers", {"names": {"1": "x"}}).status == 400
    job = done(server, "Told.mkv", "anyone")
    for words, told in (
        ((job.job, "--name", "7=Gabbar"), "has no voice '7'; it has 1"),
        ((job.job, "--name", "Gabbar"), "is not VOICE=NAME"),
        (("job-20200101-x-0001",), "There is no job"),
        ((job.job, "--forget-all"), "Name a job, or"),
        ((), "Name a job, or"),
    ):
        refused = cpw(server, "speakers", *words)
        assert (refused.code, told in refused.err) == (2, True), refused.err


def test_names_are_given_over_http(server: HttpHouse) -> None:
    job = done(server, "Over HTTP.mkv", "ravi", "vijay")
    path = f"/api/jobs/{job.job}/speakers"
    found = server.ask("GET", path).json
    assert (found["series"], found["told_apart"]) == ("Over HTTP", "yes")
    first, second = found["voices"]
    assert [line["text"] for line in first["first_lines"]] == ["hello"]
    assert second["first_lines"][0] == {"start_ms": 500, "end_ms": 900, "text": "world"}
    answer = server.ask("POST", path, {"names": {"1": "Ravi"}})
    assert answer.status == 200, answer.body
    assert called(answer.json) == {"1": ("Ravi", "person"), "2": ("", "")}
    assert "subtitle-source" in answer.json["steps"]
    assert names_written(server.house.ended(job.job)) == {"1": "Ravi"}
    for wrong in ({"names": {"1": 5}}, {"names": {}}, {"names": {"3": "x"}}, {"name": {"1": "x"}}):
        assert server.ask("POST", path, wrong).status == 400
    assert server.ask("GET", "/api/jobs/job-20200101-x-0001/speakers").status == 404
    assert b"embedding" not in server.ask("GET", path).body


def test_openai_s_own_client_is_told_who_speaks(server: HttpHouse) -> None:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key=server.keys.token) as client:
        answer = client.audio.transcriptions.create(
            model="gpt-4o-transcribe-diarize",
            response_format="diarized_json",
            chunking_strategy="auto",
            file=("talk.mp3", spoken_by("anna", "bert")),
        )
    assert isinstance(answer, TranscriptionDiarized)
    assert [(part.speaker, part.text) for part in answer.segments] == [("A", "hello"), ("B", "world")]
