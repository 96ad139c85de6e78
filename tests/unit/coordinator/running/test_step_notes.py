"""What a person hears of a step's result."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.running.step_notes import remark
from coordinator.store.rows import StepRow
from tests.lone_coordinator import LoneCoordinator


@pytest.fixture
def steps(lone: LoneCoordinator) -> dict[str, StepRow]:
    """Return the steps of a job."""
    job = lone.add_job(workflow="translate", target_languages=("en",))
    return {step.name: step for step in lone.store.steps(job)}


@pytest.mark.parametrize(
    ("name", "result", "sentence"),
    [
        (
            "clean",
            {"removed": {"loops": 2, "outside_speech": 1}},
            "clean: 3 removed: 2 repeated, 1 outside speech.",
        ),
        (
            "asr",
            {"languages": {"en": 61_000, "fr": 39_000}},
            "Two languages are spoken: English (61 %), French (39 %).",
        ),
        (
            "asr",
            {"languages": {"hi": 50_000, "en": 30_000, "de": 20_000}},
            "Three languages are spoken: Hindi (50 %), English (30 %), German (20 %).",
        ),
        ("asr", {}, ""),
        (
            "translate-en",
            {"marks": {}, "notes": ["German is not translated: no pair"]},
            "translate-en: German is not translated: no pair.",
        ),
        ("clean", {"removed": {"credits": 1}}, "clean: 1 removed: 1 credits."),
        ("clean", {"removed": {}}, ""),
        (
            "translate-en",
            {"marks": {"untranslated": 1}, "segment_count": 4},
            "translate-en: 1 of 4 sentences doubtful: 1 came back as it was.",
        ),
        (
            "translate-en",
            {"marks": {"loop": 1, "empty": 2, "x": 1}, "segment_count": 9, "doubted": 3, "retried": 4},
            "translate-en: 3 of 9 sentences doubtful: 2 came back empty, 1 in a loop, 1 x. Tried again: 4.",
        ),
        ("translate-en", {"marks": {}}, ""),
        ("asr", {"removed": {"loops": 2}, "marks": {"untranslated": 1}}, ""),
    ],
)
def test_a_step_tells_what_was_taken_out_or_is_doubtful(
    steps: dict[str, StepRow], name: str, result: dict[str, Any], sentence: str
) -> None:
    assert remark(steps[name], result) == sentence
