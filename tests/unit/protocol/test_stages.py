"""What the rest of the program is told of the stages by their rows."""

from __future__ import annotations

import dataclasses

import pytest

from protocol.pipeline import Stage
from protocol.stages import (
    LANGUAGE_STAGES,
    OPTIONAL_STAGES,
    ROUTED_STAGES,
    SHOWN_STAGES,
    STAGES,
    TRANSCRIPT_STAGES,
    WORKFLOWS,
    required_stages,
)

SPEECH = ("demux", "asr", "align", "clean")


@pytest.mark.parametrize(
    ("workflow", "stages"),
    [
        ("transcribe", (*SPEECH, "subtitle")),
        ("translate", (*SPEECH, "translate", "subtitle")),
        ("subtitle", (*SPEECH, "translate", "subtitle", "mux")),
    ],
)
def test_a_workflow_cannot_do_without_these(workflow: str, stages: tuple[str, ...]) -> None:
    assert required_stages(workflow) == stages


@pytest.mark.parametrize(
    ("derived", "expected"),
    [
        (OPTIONAL_STAGES, ("separate", "vad")),
        (SHOWN_STAGES, ("subtitle", "mux")),
        (TRANSCRIPT_STAGES, ("align", "clean", "translate")),
        (LANGUAGE_STAGES, ("asr",)),
        (ROUTED_STAGES, ("translate",)),
    ],
)
def test_what_sets_a_stage_apart_follows_from_its_row(
    derived: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    known = (*SPEECH, "separate", "vad", "translate", "subtitle", "mux")
    assert tuple(stage for stage in derived if stage in known) == expected


def test_a_recipe_is_in_an_order_in_which_each_stage_comes_after_all_that_it_waits_for() -> None:
    for workflow in WORKFLOWS.values():
        stages = [part.stage for part in workflow.recipe]
        assert set(stages) <= set(STAGES)
        for place, part in enumerate(workflow.recipe):
            assert set(part.needs) | set(part.after) <= set(stages[:place]), (workflow.name, part.stage)


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_a_row_names_fields_that_its_request_and_result_have(stage: Stage) -> None:
    settable = {
        field.name
        for field in dataclasses.fields(stage.request)
        if field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
    }
    assert {*stage.options, *stage.filled, *stage.no_model_with} <= settable
    assert stage.weight > 0
    if stage.model_of:
        assert stage.takes("model")
        assert STAGES[stage.model_of].takes("model")
    if stage.finds_language:
        results = {field.name for field in dataclasses.fields(stage.result)}
        assert {"language", "language_probability"} <= results


def test_a_model_is_needed_where_the_request_takes_one_and_the_package_does_not_bring_it() -> None:
    assert STAGES["vad"].needs_model({})
    assert not STAGES["vad"].needs_model({"method": "silero"})
    assert not STAGES["clean"].needs_model({})
    assert (STAGES["asr"].default_model, STAGES["clean"].default_model) == ("whisper-base", "")
