"""The names of a job's voices, by its files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from coordinator.running.calls import make_call
from coordinator.store.rows import JobRow, StepRow
from coordinator.voices.naming import known_here, name_voices, names_of, voices_of
from protocol.artefacts import Artefact, write_json
from protocol.errors import InputError, UsageError
from protocol.jobs.voices import SPEAKERS, VOICES, Voice, Voices
from protocol.schema import to_plain
from protocol.stages.clean import CleanResult
from protocol.stages.demux import DemuxResult
from protocol.stages.diarize import STAGE, DiarizeResult
from protocol.timeline import Speaker
from tests.ill.engines import FACTS
from tests.job_folders import FinishedJob

LEFT, RIGHT, UP, DEEP = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0), (0.0, 0.0, 0.0, 1.0)
NOTHING = Artefact(path="nothing.json", size=0, sha256="0" * 64)


class Spoken:
    """A job whose voices have been told apart."""

    def __init__(self, folder: Path, film: str, *embeddings: tuple[float, ...], silent: int = 0) -> None:
        self.made = FinishedJob(folder / film, folder / f"{film}.mkv")
        self.row = JobRow(
            seq=1, id=f"job-{film}", state="done", submit=self.made.submit, directory=self.made.directory,
            created_at="", ended_at=None, elapsed_ms=None, language="en", language_probability=None, notes=(),
        )  # fmt: skip
        self.made.add_step("demux", "demux", (), DemuxResult(
            audio=NOTHING, audio_duration_ms=60_000, audio_track=0, clip_start_ms=0, facts=FACTS,
        ))  # fmt: skip
        self.made.add_step("clean", "clean", (), CleanResult(
            transcript=NOTHING, report=NOTHING, removed={}, segment_count=1,
        ))  # fmt: skip
        self.tell(*embeddings, silent=silent)

    def tell(self, *embeddings: tuple[float, ...], silent: int = 0, model: str = "m") -> None:
        """Tell the voices apart, once more; `silent` more say too little to have an embedding."""
        self.made.steps = [step for step in self.made.steps if step.stage != STAGE.name]
        ids = [str(number + 1) for number in range(len(embeddings) + silent)]
        voices = tuple(
            Voice(id=name, speech_ms=9_000, embedding=found)
            for name, found in zip(ids, embeddings, strict=False)
        )
        path = self.made.path(STAGE.name, VOICES)
        write_json(path, to_plain(Voices(model=model, voices=voices)))
        result = DiarizeResult(
            turns=(), speakers=tuple(Speaker(id=name, speech_ms=9_000) for name in ids), timeline=NOTHING,
            voices=replace(NOTHING, path=f"{STAGE.folder}/{VOICES}"), model=model, device="cpu",
        )  # fmt: skip
        self.made.add(STAGE.name, path, result=result)

    @property
    def steps(self) -> list[StepRow]:
        return self.made.steps

    def name(self, **names: str) -> None:
        name_voices(self.row, self.steps, {voice.removeprefix("v"): name for voice, name in names.items()})

    @property
    def names(self) -> dict[str, str]:
        return names_of(self.row, self.steps)

    @property
    def by(self) -> dict[str, str]:
        return {voice.id: voice.by for voice in voices_of(self.row, self.steps)}

    def subtitle_request(self) -> dict[str, Any]:
        step = self.made.add_step("subtitle", "subtitle-source", (), {})
        self.made.steps.remove(step)
        return make_call(self.row, step, [*self.steps, step]).request


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CPW_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_next_episode_knows_the_voices_and_a_new_one_has_no_name(tmp_path: Path) -> None:
    first = Spoken(tmp_path, "Ramgarh S01E01", LEFT, RIGHT)
    assert first.names == {}
    first.name(v1="Gabbar", v2="Basanti")
    assert first.by == {"1": "person", "2": "person"}
    second = Spoken(tmp_path, "Ramgarh S01E02", UP, RIGHT, LEFT)
    assert second.names == {"2": "Basanti", "3": "Gabbar"}
    assert second.by == {"1": "", "2": "series", "3": "series"}
    assert Spoken(tmp_path, "Another Film", RIGHT, LEFT).names == {}


def test_the_names_are_part_of_the_subtitle_request_and_only_where_there_are_any(tmp_path: Path) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT, RIGHT)
    assert "speaker_names" not in job.subtitle_request()
    job.name(v1="Gabbar")
    assert job.subtitle_request()["speaker_names"] == {"1": "Gabbar"}
    assert Spoken(tmp_path, "Ramgarh S01E02", RIGHT, LEFT).subtitle_request()["speaker_names"] == {
        "2": "Gabbar"
    }


def test_what_a_person_says_of_a_film_counts_more_than_what_the_series_says(tmp_path: Path) -> None:
    Spoken(tmp_path, "Ramgarh S01E01", LEFT, RIGHT).name(v1="Gabbar", v2="Basanti")
    second = Spoken(tmp_path, "Ramgarh S01E02", LEFT, RIGHT, UP)
    second.name(v1="His brother", v3="Gabbar")
    assert second.names == {"1": "His brother", "2": "Basanti", "3": "Gabbar"}
    second.name(v2="")
    assert second.names == {"1": "His brother", "3": "Gabbar"}
    assert second.by["2"] == "person"


def test_a_name_that_is_taken_away_is_not_known_to_the_series_any_more(tmp_path: Path) -> None:
    first = Spoken(tmp_path, "Ramgarh S01E01", LEFT)
    first.name(v1="Gabbar")
    first.name(v1="")
    assert first.names == {}
    assert known_here().listed() == ()


def test_names_stay_with_their_voices_when_these_are_told_apart_anew(tmp_path: Path) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT, RIGHT, silent=1)
    job.name(v1="Gabbar", v3="Sambha")
    assert job.names == {"1": "Gabbar", "3": "Sambha"}
    job.tell(UP, DEEP, LEFT)
    assert job.names == {"3": "Gabbar"}
    job.name(v1="Basanti")
    assert job.names == {"1": "Basanti", "3": "Gabbar"}
    assert [voice.name for voice in known_here().listed()] == ["Basanti", "Gabbar"]


def test_who_was_forgotten_is_not_learnt_again_from_another_name(tmp_path: Path) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT, RIGHT)
    job.name(v1="Gabbar")
    known_here().forget("", "Gabbar")
    job.name(v2="Basanti")
    assert [voice.name for voice in known_here().listed()] == ["Basanti"]
    assert job.names == {"1": "Gabbar", "2": "Basanti"}, "this film still knows"


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"9": "Gabbar"}, "has no voice '9'; it has 1"),
        ({"1": "G" * 61}, "60 letters"),
        ({"1": "Gab\nbar"}, "on one line"),
        ({}, "No name"),
    ],
)
def test_what_cannot_be_a_name_is_refused_and_nothing_is_written(
    tmp_path: Path, names: dict[str, str], told: str
) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT)
    with pytest.raises(UsageError, match=told):
        name_voices(job.row, job.steps, names)
    assert not (job.made.directory / SPEAKERS).exists()
    assert known_here().listed() == ()


def test_names_of_any_script_are_names(tmp_path: Path) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT, RIGHT)
    job.name(v1="  गब्बर   सिंह ", v2="क्\u200dष")
    assert job.names == {"1": "गब्बर सिंह", "2": "क्\u200dष"}
    job.name(v1="山田\u3000太郎", v2="\u200fمريم\u200f")
    assert job.names == {"1": "山田 太郎", "2": "مريم"}


def test_a_job_in_which_nobody_told_voices_apart_says_how(tmp_path: Path) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT)
    job.made.steps = [step for step in job.steps if step.stage != STAGE.name]
    assert job.names == {}
    assert "speaker_names" not in job.subtitle_request()
    with pytest.raises(UsageError) as caught:
        job.name(v1="Gabbar")
    assert "--with diarize" in caught.value.remedy


@pytest.mark.parametrize("state", ["waiting", "running", "failed"])
def test_a_job_that_has_not_told_voices_apart_yet_is_not_submitted_anew(tmp_path: Path, state: Any) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT)
    job.made.steps = [
        replace(step, state=state, result=None) if step.stage == STAGE.name else step for step in job.steps
    ]
    assert job.names == {}
    with pytest.raises(UsageError, match="has not come so far") as caught:
        job.name(v1="Gabbar")
    assert caught.value.remedy == f"cpw status {job.row.id}"


def test_a_broken_file_costs_its_names_and_not_the_film(tmp_path: Path, state: Path) -> None:
    Spoken(tmp_path, "Ramgarh S01E01", LEFT).name(v1="Gabbar")
    job = Spoken(tmp_path, "Ramgarh S01E02", LEFT, RIGHT)
    job.name(v2="Basanti")
    (known,) = (state / "voices").iterdir()
    known.write_text("{")
    assert job.names == {"2": "Basanti"}
    with pytest.raises(InputError, match=known.name):
        voices_of(job.row, job.steps)
    said = job.made.directory / SPEAKERS
    said.write_text(json.dumps({"version": 1, "voices": 3}))
    assert job.names == {}
    (job.made.directory / STAGE.folder / VOICES).unlink()
    assert job.names == {}
    with pytest.raises(InputError, match=f"cpw retry {job.row.id}|{VOICES}"):
        voices_of(job.row, job.steps)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path, state: Path) -> None:
    job = Spoken(tmp_path, "Ramgarh S01E01", LEFT)
    state.mkdir()
    (state / "voices").write_text("a file")
    with pytest.raises(InputError) as caught:
        job.name(v1="Gabbar")
    assert str(state / "voices") in caught.value.message
