"""What follows from what, without a store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.plan import Dependencies
from coordinator.planning.planner import plan
from coordinator.running.scheduler import Retry, after_failure, follow_up, job_state, steps_to_redo
from protocol.errors import ErrorKind
from protocol.messages import StepState, Submit
from tests.plans import all_by

SUBTITLE = plan(
    Submit(media="/f.mkv", workflow="subtitle", user="u", out="/o", target_languages=("en",)),
    all_by(),
)
LINKS = {step.name: Dependencies(step.needs, step.after) for step in SUBTITLE.steps}


def states(**named: StepState) -> dict[str, StepState]:
    return {name: named.get(name.replace("-", "_"), "waiting") for name in LINKS}


def test_a_step_is_ready_when_all_it_needs_is_done() -> None:
    assert follow_up(states(demux="done"), LINKS) == {"asr": "ready"}


def test_both_branches_start_when_the_words_are_clean() -> None:
    now = states(demux="done", asr="done", align="done", clean="done")
    assert follow_up(now, LINKS) == {"subtitle-source": "ready", "translate-en": "ready"}


def test_what_a_failed_step_was_needed_for_is_skipped_through_to_the_end() -> None:
    changes = follow_up(states(demux="done", asr="failed"), LINKS)
    assert set(changes.values()) == {"skipped"}
    assert set(changes) == set(LINKS) - {"demux", "asr"}


def test_a_failed_target_does_not_take_the_film_with_it() -> None:
    now = states(
        demux="done", asr="done", align="done", clean="done", subtitle_source="done", translate_en="failed"
    )
    assert follow_up(now, LINKS) == {"subtitle-en": "skipped", "mux": "ready"}


def test_without_any_subtitles_there_is_no_film_with_them() -> None:
    done = {"demux": "done", "asr": "done", "align": "done", "clean": "done"}
    now = states(**done, subtitle_source="failed", translate_en="done", subtitle_en="failed")
    assert follow_up(now, LINKS) == {"mux": "skipped"}
    now = states(**done, subtitle_source="failed", translate_en="skipped", subtitle_en="skipped")
    assert follow_up(now, LINKS) == {"mux": "skipped"}
    now = states(**done, subtitle_source="failed", translate_en="done", subtitle_en="running")
    assert follow_up(now, LINKS) == {}


def test_a_skipped_translation_lets_its_subtitles_be_made_once_the_words_are_there() -> None:
    now = states(demux="done", asr="done", translate_en="skipped")
    assert "subtitle-en" not in follow_up(now, LINKS)
    now = states(demux="done", asr="done", align="done", clean="done", translate_en="skipped")
    assert follow_up(now, LINKS)["subtitle-en"] == "ready"


def test_what_was_lost_is_done_when_a_job_goes_on_and_the_film_is_made_with_it() -> None:
    ended = states(
        demux="done", asr="done", align="done", clean="done", subtitle_source="done", translate_en="failed",
        subtitle_en="skipped", mux="done",
    )  # fmt: skip
    assert steps_to_redo(ended, LINKS, (), ()) == {"translate-en", "subtitle-en", "mux"}


def test_a_translation_that_is_not_needed_stays_skipped_when_a_job_goes_on() -> None:
    ended = states(demux="done", asr="done", align="failed", translate_en="skipped", subtitle_en="skipped")
    again = steps_to_redo(ended, LINKS, (), {"translate-en", "subtitle-en"})
    assert again == {"align", "clean", "subtitle-source", "mux"}


def test_a_stage_that_is_done_again_takes_with_it_what_depends_on_it() -> None:
    done = dict.fromkeys(LINKS, "done")
    assert steps_to_redo(done, LINKS, ("translate-en",), ()) == {"translate-en", "subtitle-en", "mux"}
    assert steps_to_redo(done, LINKS, ("demux",), ()) == set(LINKS)


@given(st.randoms(use_true_random=False))
def test_every_job_ends_whatever_fails(random: object) -> None:
    now = states(demux="ready")
    for _ in range(100):
        ready = [name for name, state in now.items() if state == "ready"]
        if not ready:
            break
        now[random.choice(ready)] = random.choice(["done", "failed", "cancelled"])  # type: ignore[attr-defined]  # (hypothesis gives a Random)
        now |= follow_up(now, LINKS)
    assert job_state(now) in ("done", "failed", "cancelled")


@pytest.mark.parametrize(
    ("kind", "failures", "kills", "verdict"),
    [
        (ErrorKind.INPUT, 1, 0, "failed"),
        (ErrorKind.BUG, 1, 0, Retry(0)),
        (ErrorKind.BUG, 2, 0, "failed"),
        (ErrorKind.TRANSIENT, 1, 0, Retry(500)),
        (ErrorKind.TRANSIENT, 5, 0, "failed"),
        (ErrorKind.CRASHED, 0, 1, Retry(0)),
        (ErrorKind.CRASHED, 0, 2, "failed"),
        (ErrorKind.HUNG, 3, 1, Retry(0)),
        (ErrorKind.CANCELLED, 1, 0, "cancelled"),
        (ErrorKind.DISK_FULL, 1, 0, "held"),
    ],
)
def test_a_failure_is_treated_by_its_kind(
    kind: ErrorKind, failures: int, kills: int, verdict: object
) -> None:
    assert after_failure(kind, failures, kills) == verdict


def test_a_job_with_a_failed_step_has_failed_once_all_have_ended() -> None:
    assert job_state({"a": "failed", "b": "running"}) == "running"
    assert job_state({"a": "failed", "b": "skipped"}) == "failed"
    assert job_state({"a": "waiting", "b": "ready"}) == "queued"
