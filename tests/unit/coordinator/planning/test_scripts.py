"""A target in a script by choice: what is translated, what is only written otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.planning.builders import Inputs, Results, build_request
from coordinator.planning.planner import plan, refine
from protocol.artefacts import Artefact
from protocol.messages import Submit
from protocol.schema import to_plain
from protocol.stages.demux import DemuxResult, MediaFacts
from protocol.stages.subtitle import SubtitleRequest
from tests.plans import all_by


def submission(**fields: Any) -> Submit:
    return Submit(**{"media": "/films/f.mkv", "workflow": "subtitle", "user": "u", "out": "/o"} | fields)


def steps_of(submit: Submit) -> dict[str, tuple[str, ...]]:
    """Return each step that depends on a language, with what it needs."""
    made = plan(submit, all_by()).steps
    return {step.name: step.needs for step in made if step.stage in ("translate", "subtitle")}


def test_a_film_in_another_language_is_translated_and_the_subtitles_are_written_so() -> None:
    assert steps_of(
        submission(workflow="translate", source_language="en", target_languages=("hi-Latn",))
    ) == {
        "translate-hi": ("clean",),
        "subtitle-hi-Latn": ("clean", "translate-hi"),
    }


def test_one_translation_serves_two_scripts() -> None:
    assert steps_of(submission(source_language="en", target_languages=("hi", "hi-Latn", "sr-Cyrl"))) == {
        "subtitle-source": ("clean",),
        "translate-hi": ("clean",),
        "translate-sr": ("clean",),
        "subtitle-hi": ("clean", "translate-hi"),
        "subtitle-hi-Latn": ("clean", "translate-hi"),
        "subtitle-sr-Cyrl": ("clean", "translate-sr"),
    }


@pytest.mark.parametrize("workflow", ["translate", "subtitle"])
def test_of_a_film_in_the_language_nothing_is_translated(workflow: str) -> None:
    made = steps_of(submission(workflow=workflow, source_language="hi", target_languages=("hi-Latn",)))
    made.pop("subtitle-source", None)
    assert made == {"subtitle-hi-Latn": ("clean",)}


@pytest.mark.parametrize("workflow", ["translate", "subtitle"])
def test_a_film_that_turns_out_to_be_in_the_language_keeps_the_track_in_the_other_script(
    workflow: str,
) -> None:
    asked = submission(workflow=workflow, target_languages=("hi-Latn",))
    found = refine(asked, "hi", "Film")
    assert found.skipped == ("translate-hi",)
    assert found.notes == ("Film is in Hindi: written as Hindi in Latin letters, not translated.",)
    assert refine(asked, "en", "Film").skipped == ()


def test_urdu_into_hindi_stays_a_translation_and_urdu_in_devanagari_is_the_script_alone() -> None:
    asked = submission(workflow="translate", target_languages=("hi", "ur-Deva"))
    assert refine(asked, "ur", "Film").skipped == ("translate-ur",)


def test_nothing_is_made_of_a_film_without_speech() -> None:
    found = refine(submission(target_languages=("hi-Latn",)), "und", "Film")
    assert set(found.skipped) == {"translate-hi", "subtitle-hi-Latn"}


FILE = {"path": "t.json", "size": 1, "sha256": "0" * 64}
FACTS = to_plain(
    DemuxResult(
        audio=Artefact(**FILE),
        audio_duration_ms=1_900,
        audio_track=0,
        clip_start_ms=0,
        facts=MediaFacts(
            duration_ms=2_000,
            container="mkv",
            has_video=True,
            frames_per_second=24.0,
            audio_tracks=(),
            subtitle_languages=(),
        ),
    )
)
CLEANED = {"transcript": {**FILE, "path": "own.json"}, "report": FILE, "removed": {}, "segment_count": 1}
TRANSLATED = {
    "transcript": {**FILE, "path": "hi.json"},
    "segment_count": 1,
    "device": "cpu",
    "compute_type": "int8",
    "engine": "nllb",
    "model": "m",
}


@pytest.mark.parametrize(("target", "script"), [("hi", ""), ("hi-Latn", "Latn")])
@pytest.mark.parametrize("is_translated", [True, False])
def test_subtitles_are_asked_for_in_the_script(target: str, script: str, is_translated: bool) -> None:
    results = {"demux": FACTS, "clean": CLEANED} | ({"translate-hi": TRANSLATED} if is_translated else {})
    inputs = Inputs(submit=submission(), title="Film", results=Results(results), target=target)
    request = build_request("subtitle", inputs)
    assert request.script == script
    assert request.transcript.path == ("hi.json" if is_translated else "own.json")


def test_the_script_is_told_only_where_there_is_one() -> None:
    """The keys of steps that are done stay as they are."""
    results = Results({"demux": FACTS, "clean": CLEANED})
    plain = build_request("subtitle", Inputs(submit=submission(), title="Film", results=results, target="hi"))
    assert isinstance(plain, SubtitleRequest)
    assert "script" not in to_plain(plain)
