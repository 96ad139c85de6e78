"""Every environment at once: one film through all of them, and a second one that loads nothing.

IndicTrans2, NLLB, MADLAD-400 and demucs are tiny checkpoints of the real shape with random weights: what is
shown is who is given what, and that the files come out whole; nothing is said of their words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

import envspecs
from tests.checkpoints.demucs import make_htdemucs
from tests.checkpoints.indictrans2 import make_indictrans2
from tests.checkpoints.madlad import make_madlad
from tests.checkpoints.nllb import make_nllb
from tests.conftest import Figure
from tests.data import data
from tests.real_house import RealHouse

_NAMES = ("common", "whisperx", "indictrans2", "nllb", "madlad", "pyannote", "demucs")
pytestmark = [pytest.mark.env(*_NAMES), pytest.mark.slow, pytest.mark.timeout(600)]

_CLIP = ("--end", "00:00:40")


@pytest.fixture(scope="module")
def full_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """Return a running house: a worker in every built environment, tiny models where none can be had."""
    folder = tmp_path_factory.mktemp("full")
    store = folder / "models"
    store.mkdir()
    for model in envspecs.models_directory().iterdir():
        if (model / "manifest.json").is_file():
            (store / model.name).symlink_to(model)
    for direction in ("indic-en", "en-indic", "indic-indic"):
        make_indictrans2(store, direction)
    make_nllb(store)
    make_madlad(store)
    make_htdemucs(store)
    with RealHouse(folder, CPW_MODELS=str(store)) as house:
        done = house.cpw("up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield house


def submit(house: RealHouse, *words: str) -> dict[str, Any]:
    code, jobs, said = house.submit(*words)
    assert code == 0, said
    (job,) = jobs
    assert job["state"] == "done", job
    return job


def environments(job: dict[str, Any]) -> dict[str, str]:
    return {step["name"]: step["environment"] for step in job["steps"]}


def loads(house: RealHouse) -> dict[str, dict[str, int]]:
    """Return environment to model to how often it was loaded."""
    return {
        environment.environment: {model.key: model.loads for model in environment.models}
        for environment in house.health().environments
        if environment.pid is not None
    }


def processes(house: RealHouse) -> dict[str, int]:
    """Return environment to its worker's process id."""
    return {
        environment.environment: environment.pid
        for environment in house.health().environments
        if environment.pid is not None
    }


def track_languages(film: Path) -> list[str]:
    """Return the languages of the film's subtitle tracks, as ffmpeg's libraries read them."""
    with av.open(str(film)) as container:
        return [stream.metadata.get("language", "") for stream in container.streams.subtitles]


def test_a_hindi_film_goes_through_every_environment_to_three_tagged_tracks(
    full_house: RealHouse, figure: Figure
) -> None:
    film = data("film/film_hi.mp4")
    words = ("--workflow", "subtitle", "-s", "hi", "-t", "en,gu", "--with", "separate", *_CLIP)
    job = submit(full_house, str(film), *words)

    assert environments(job) == {
        "demux": "common",
        "separate": "demucs",
        "vad": "pyannote",
        "asr": "whisperx",
        "align": "whisperx",
        "clean": "common",
        "subtitle-source": "common",
        "translate-en": "indictrans2",
        "subtitle-en": "common",
        "translate-gu": "indictrans2",
        "subtitle-gu": "common",
        "mux": "common",
    }
    srts = sorted(Path(output).name for output in job["outputs"] if output.endswith(".srt"))
    assert srts == ["film_hi.en.srt", "film_hi.gu.srt", "film_hi.hi.srt"]
    (made,) = (output for output in job["outputs"] if output.endswith("_subtitled.mp4"))
    assert track_languages(Path(made)) == ["hin", "eng", "guj"]
    told = json.loads((Path(job["directory"]) / "job.json").read_text())
    reasons = {step["name"]: step["reasons"] for step in told["steps"]}
    assert "Hindi into Gujarati: indictrans2" in reasons["translate-gu"][0]
    figure(
        "hi -> en, gu: "
        + ", ".join(f"{s['name']} {s['environment']} {s['duration_ms']} ms" for s in job["steps"])
    )


def test_an_english_film_goes_into_german_through_nllb(full_house: RealHouse) -> None:
    film = data("film/film_en.mp4")
    job = submit(full_house, str(film), "--workflow", "subtitle", "-s", "en", "-t", "de", *_CLIP)

    assert environments(job)["translate-de"] == "nllb"
    srts = sorted(Path(output).name for output in job["outputs"] if output.endswith(".srt"))
    assert srts == ["film_en.de.srt", "film_en.en.srt"]


def test_an_english_film_goes_into_french_through_madlad_where_it_is_asked_for(full_house: RealHouse) -> None:
    words = ("--workflow", "translate", "-s", "en", "-t", "fr", "--env", "translate=madlad", *_CLIP)
    job = submit(full_house, str(data("film/film_en.mp4")), *words)

    assert environments(job)["translate-fr"] == "madlad"
    told = json.loads((Path(job["directory"]) / "job.json").read_text())
    assert "Apache-2.0" in json.dumps(told)


def test_a_second_film_loads_nothing_in_any_environment(full_house: RealHouse, figure: Figure) -> None:
    words = ("--workflow", "subtitle", "-s", "hi", "-t", "en,gu", "--with", "separate", *_CLIP)
    film = str(data("film/film_hi.mp4"))
    submit(full_house, film, *words)
    before, pids = loads(full_house), processes(full_house)
    job = submit(full_house, film, *words, "--again")

    assert not any("was done before" in step["note"] for step in job["steps"])
    assert loads(full_house) == before
    assert all(count == 1 for models in before.values() for count in models.values()), before
    assert processes(full_house) == pids
    told = {name: list(models) for name, models in before.items() if models}
    figure(f"second film: models loaded once each, in {len(pids)} workers: {told}")
