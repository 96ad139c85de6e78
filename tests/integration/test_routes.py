"""Which environment does what in a whole house: routes, optional stages, environments by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import MissingError, UsageError
from protocol.messages import JobReport
from tests.house import SPEECH_STAGES, House

pytestmark = pytest.mark.integration

_REGISTRY = """
[sets]
indic = ["hi", "gu", "ta"]

[[models]]
id = "whisper-base"
kind = "whisper-ct2"
licence = "MIT"
description = "for a test"
size_bytes = 1
needs = []
sources = []
translates_to = ["en"]

[[models]]
id = "among-indic"
kind = "indic"
licence = "MIT"
description = "for a test"
size_bytes = 1
needs = []
sources = []
translates_to = ["@indic"]
translates_from = ["@indic"]

[[models]]
id = "indic-into-english"
kind = "indic"
licence = "MIT"
description = "for a test"
size_bytes = 1
needs = []
sources = []
translates_to = ["en"]
translates_from = ["@indic"]

[[models]]
id = "many"
kind = "many"
licence = "MIT"
description = "for a test"
size_bytes = 1
needs = []
sources = []
translates_to = ["gu", "de", "en"]
translates_from = ["gu", "de", "en"]
"""


@pytest.fixture
def wide_house(tmp_path: Path) -> Iterator[House]:
    """Return a house with environments for every stage."""
    with House(tmp_path) as made:
        (made.home / "envspecs" / "models.toml").write_text(_REGISTRY)
        for name in ("among-indic", "indic-into-english", "many", "htdemucs", "pyannote-segmentation"):
            (made.home / "models" / name).mkdir()
            (made.home / "models" / name / "manifest.json").write_text(
                json.dumps({"id": name, "source": "a test", "files": {}})
            )
        made.add_environment("indic", {"translate": "FakeTranslate"}, 'model_kinds = ["indic"]')
        made.add_environment("many", {"translate": "FakeTranslate"}, 'model_kinds = ["many"]')
        made.add_environment("vocals", {"separate": "FakeSeparate"}, "optional = true", "model_kinds = []")
        made.add_environment("activity", {"vad": "FakeVad"}, "optional = true", "model_kinds = []")
        made.add_environment("other", SPEECH_STAGES, "optional = true", "by_name_only = true")
        made.start()
        yield made


def environments(report: JobReport) -> dict[str, str]:
    return {step.name: step.environment for step in report.steps}


def job_file(report: JobReport) -> dict[str, Any]:
    return json.loads((Path(report.directory) / "job.json").read_text())


def step_of(report: JobReport, name: str) -> dict[str, Any]:
    return next(step for step in job_file(report)["steps"] if step["name"] == name)


def asked(report: JobReport) -> dict[str, Any]:
    return json.loads((Path(report.directory) / "06_asr" / "asked.json").read_text())


def test_each_target_goes_to_who_has_the_pair_and_the_job_says_why(wide_house: House) -> None:
    job = wide_house.submit(source_language="hi", target_languages=("en", "gu"))
    report = wide_house.ended(job)

    assert report.state == "done"
    assert environments(report)["translate-gu"] == "indic"
    assert step_of(report, "translate-en")["model"] == "indic-into-english"
    assert step_of(report, "translate-gu")["model"] == "among-indic"
    assert "Hindi into Gujarati: indic with among-indic" in step_of(report, "translate-gu")["reasons"][0]


def test_a_language_that_is_heard_later_sends_its_translation_elsewhere(wide_house: House) -> None:
    parameters = {"asr": {"initial_prompt": "language:de"}}
    report = wide_house.ended(wide_house.submit(target_languages=("gu",), parameters=parameters))

    assert report.state == "done"
    assert environments(report)["translate-gu"] == "many"
    told = step_of(report, "translate-gu")
    assert (told["environment"], told["model"]) == ("many", "many")
    assert "German into Gujarati" in told["reasons"][0]


def test_a_language_that_nobody_translates_fails_its_own_track_only(wide_house: House) -> None:
    parameters = {"asr": {"initial_prompt": "language:fr"}}
    job = wide_house.submit(target_languages=("gu", "en"), parameters=parameters)
    report = wide_house.ended(job)

    assert report.state == "failed"
    states = {step.name: step.state for step in report.steps}
    assert states["translate-gu"] == "failed"
    assert states["translate-en"] == states["mux"] == "done"
    assert environments(report)["translate-en"] == "whisperx"
    assert report.error is not None
    assert report.error.message == "Nothing here translates French into Gujarati."


def test_a_doubtful_translation_is_said_to_be_one(wide_house: House) -> None:
    parameters = {"translate": {"target_script": "doubtful"}}
    job = wide_house.submit(source_language="hi", target_languages=("gu",), parameters=parameters)

    assert "translate-gu: 1 of 1 sentences doubtful: 1 came back as it was." in wide_house.ended(job).notes


def test_speech_is_looked_for_where_that_is_built_and_the_recogniser_is_given_it(wide_house: House) -> None:
    report = wide_house.ended(wide_house.submit(workflow="transcribe"))

    assert environments(report)["vad"] == "activity"
    assert asked(report)["speech"] == [{"start_ms": 100, "end_ms": 900, "peak": 0.75}]
    without = wide_house.ended(wide_house.submit(workflow="transcribe", without_stages=("vad",)))
    assert "vad" not in environments(without)
    assert asked(without)["speech"] is None


def test_voices_are_separated_when_asked_for_and_everything_listens_to_them(wide_house: House) -> None:
    report = wide_house.ended(wide_house.submit(workflow="transcribe", with_stages=("separate",)))

    assert report.state == "done"
    folder = Path(report.directory)
    assert (folder / "04_separate" / "vocals.wav").read_text() == "the voices of 01_demux/audio_full.flac"
    assert json.loads((folder / "05_vad" / "speech_segments.json").read_text()) == {
        "heard": "04_separate/vocals.wav"
    }
    assert asked(report)["audio"]["path"] == "04_separate/vocals.wav"


def test_an_environment_that_is_used_by_name_only_does_what_it_is_named_for(wide_house: House) -> None:
    plain = wide_house.ended(wide_house.submit(workflow="transcribe"))
    named = wide_house.ended(wide_house.submit(workflow="transcribe", environments={"asr": "other"}))

    assert environments(plain)["asr"] == "whisperx"
    assert environments(named)["asr"] == "other"
    assert environments(named)["align"] == "whisperx"
    assert job_file(named)["stage_environments"]["asr"] == "other"


def test_what_cannot_be_served_is_refused_before_a_job_exists(wide_house: House) -> None:
    with pytest.raises(UsageError, match="no environment 'nowhere'"):
        wide_house.submit(environments={"asr": "nowhere"})
    with pytest.raises(UsageError, match="does not do asr; it does vad"):
        wide_house.submit(environments={"asr": "activity"})
    with pytest.raises(MissingError, match="translates Tamil into German"):
        wide_house.submit(source_language="ta", target_languages=("de",))
    with pytest.raises(UsageError, match="cannot translate in indic"):
        wide_house.submit(
            source_language="hi",
            target_languages=("en",),
            environments={"translate": "indic"},
            parameters={"translate": {"model": "many"}},
        )
    assert not list(wide_house.out.glob("**/job.json"))
