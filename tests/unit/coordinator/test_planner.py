"""A wish becomes a plan."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.planner import plan, refine, title_of
from protocol.errors import MissingError, UsageError
from protocol.messages import Submit


def wish(**fields: Any) -> Submit:
    return Submit(**{"media": "/films/f.mkv", "workflow": "subtitle", "user": "u", "out": "/o"} | fields)


def names(submit: Submit) -> list[str]:
    return [each.name for each in plan(submit, lambda stage: stage).steps]


def test_transcribe_has_no_translation_and_no_film() -> None:
    assert names(wish(workflow="transcribe")) == ["demux", "asr", "align", "subtitle-source"]


def test_translate_makes_the_targets_track_only() -> None:
    found = names(wish(workflow="translate", target_languages=("en",)))
    assert found == ["demux", "asr", "align", "translate-en", "subtitle-en"]


def test_subtitle_makes_every_track_and_waits_for_all_of_them_before_the_film() -> None:
    made = plan(wish(target_languages=("en",)), lambda stage: stage)
    mux = made.steps[-1]
    assert mux.name == "mux"
    assert set(mux.after) == {"subtitle-source", "subtitle-en"}
    assert mux.needs == ("align",)


def test_a_target_that_is_said_to_be_the_source_gets_no_second_track() -> None:
    assert "translate-en" not in names(wish(source_language="en", target_languages=("en",)))


def test_a_pair_that_nothing_translates_is_named() -> None:
    with pytest.raises(MissingError, match="translates Hindi into Gujarati"):
        plan(wish(source_language="hi", target_languages=("gu",)), lambda stage: stage)


def test_an_unknown_workflow_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match="transcribe, translate, subtitle"):
        plan(wish(workflow="dub"), lambda stage: stage)


def test_a_film_already_in_the_target_language_is_said_to_be_so() -> None:
    refined = refine(wish(workflow="translate", target_languages=("en",)), "en", "Sholay")
    assert refined.skipped == ("translate-en",)
    assert refined.notes == ("Sholay is already in English: not translated.",)
    refined = refine(wish(target_languages=("en",)), "en", "Sholay")
    assert refined.skipped == ("translate-en", "subtitle-en")


def test_a_film_in_which_nothing_is_said_is_said_to_be_so() -> None:
    refined = refine(wish(target_languages=("en",)), "und", "Battle")
    assert refined.skipped == ("translate-en", "subtitle-en")
    assert refined.notes == ("Battle: nothing is said in this film.",)


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
    assert title_of(wish(media=f"/films/{file}")) == title


def test_what_the_person_says_wins_over_the_name() -> None:
    assert title_of(wish(media="/films/x (1975).mkv", title="Sholay", year=1976)) == ("Sholay", 1976)
