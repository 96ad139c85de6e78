"""A submission becomes a plan."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from coordinator.planning.planner import plan, refine, title_of
from coordinator.planning.translators import Route
from protocol.errors import UsageError
from protocol.messages import Submit
from tests.plans import all_by


def submission(**fields: Any) -> Submit:
    return Submit(**{"media": "/films/f.mkv", "workflow": "subtitle", "user": "u", "out": "/o"} | fields)


def names(submit: Submit, *at_hand: str) -> list[str]:
    return [step.name for step in plan(submit, all_by(lambda stage: stage, *at_hand)).steps]


def test_transcribe_has_no_translation_and_no_film() -> None:
    assert names(submission(workflow="transcribe")) == ["demux", "asr", "align", "clean", "subtitle-source"]


def test_translate_makes_the_targets_track_only() -> None:
    found = names(submission(workflow="translate", target_languages=("en",)))
    assert found == ["demux", "asr", "align", "clean", "translate-en", "subtitle-en"]


def test_subtitle_makes_every_track_and_waits_for_all_of_them_before_the_film() -> None:
    made = plan(submission(target_languages=("en",)), all_by())
    mux = made.steps[-1]
    assert mux.name == "mux"
    assert set(mux.after) == {"subtitle-source", "subtitle-en"}
    assert mux.needs == ("clean",)


def test_a_target_that_is_said_to_be_the_source_gets_no_second_track() -> None:
    assert "translate-en" not in names(submission(source_language="en", target_languages=("en",)))


def test_a_translation_goes_where_its_route_says_with_the_routes_model() -> None:
    def route(source: str | None, target: str) -> Route:
        return Route(environment=f"{source}-{target}", model="m", reason="because")

    made = plan(
        submission(source_language="hi", target_languages=("en", "gu")), replace(all_by(), route=route)
    )
    steps = {step.name: step for step in made.steps}
    assert steps["translate-en"].environment == "hi-en"
    assert steps["translate-gu"].environment == "hi-gu"
    assert steps["translate-gu"].choices == {"model": "m"}
    assert steps["translate-gu"].reasons == ("because",)


def test_vad_is_in_the_plan_where_it_is_at_hand_and_separate_where_it_is_asked_for() -> None:
    assert names(submission(workflow="transcribe"), "vad", "separate")[:3] == ["demux", "vad", "asr"]
    asked = submission(workflow="transcribe", with_stages=("separate",), without_stages=("vad",))
    assert names(asked, "vad")[:3] == ["demux", "separate", "asr"]
    both = plan(submission(with_stages=("separate", "vad")), all_by())
    needs = {step.name: step.needs for step in both.steps}
    assert needs["vad"] == ("demux", "separate")
    assert needs["asr"] == ("demux", "separate", "vad")
    assert needs["separate"] == ("demux",)


def test_who_names_an_environment_or_a_setting_of_an_optional_stage_asks_for_it() -> None:
    assert "separate" in names(submission(environments={"separate": "demucs"}))
    assert "vad" in names(submission(parameters={"vad": {"method": "silero"}}))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"with_stages": ("asr",)}, "'asr' cannot be"),
        ({"without_stages": ("demux",)}, "'demux' cannot be"),
        ({"with_stages": ("vad",), "without_stages": ("vad",)}, "both asked for and left out"),
    ],
)
def test_a_stage_that_every_job_has_is_neither_asked_for_nor_left_out(fields: dict, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        plan(submission(**fields), all_by())


def test_an_unknown_workflow_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="transcribe, translate, subtitle"):
        plan(submission(workflow="dub"), all_by())


def test_a_film_already_in_the_target_language_is_said_to_be_so() -> None:
    refined = refine(submission(workflow="translate", target_languages=("en",)), "en", "Sholay")
    assert refined.skipped == ("translate-en",)
    assert refined.notes == ("Sholay is already in English: not translated.",)
    refined = refine(submission(target_languages=("en",)), "en", "Sholay")
    assert refined.skipped == ("translate-en", "subtitle-en")


def test_a_film_in_which_nothing_is_said_is_said_to_be_so() -> None:
    refined = refine(submission(target_languages=("en",)), "und", "Battle")
    assert refined.skipped == ("translate-en", "subtitle-en")
    assert refined.notes == ("Battle: nothing is said in this film.",)
    assert refine(submission(target_languages=("en",)), "hi", "Battle", silent=True) == refined
    assert refine(submission(target_languages=("en",)), "en", "Battle", silent=True) == refined


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("Sholay (1975).mkv", ("Sholay", 1975)),
        ("Mother.India.1957.1080p.mkv", ("Mother.India", 1957)),
        ("2001.mkv", ("2001", None)),
        ("2001 A Space Odyssey (1968).mp4", ("2001 A Space Odyssey", 1968)),
        ("शोले [1975].mkv", ("शोले", 1975)),
        ("film_en.mp4", ("film_en", None)),
    ],
)
def test_title_and_year_come_from_the_files_name(file: str, title: tuple[str, int | None]) -> None:
    assert title_of(submission(media=f"/films/{file}")) == title


def test_what_the_person_says_wins_over_the_name() -> None:
    assert title_of(submission(media="/films/x (1975).mkv", title="Sholay", year=1976)) == ("Sholay", 1976)


def test_a_film_mostly_in_the_target_s_language_says_what_stays_in_another() -> None:
    refined = refine(submission(target_languages=("en",)), "en", "Sholay", others=("fr", "hi"))
    assert refined.notes == (
        "Sholay is already in English for the most part: not translated. "
        "What is said in French and Hindi stays in French and Hindi.",
    )
