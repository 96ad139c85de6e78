"""What a person must know of a step's result: one sentence that stands with the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from coordinator.store.rows import StepRow
from protocol.stages import STAGES

__all__ = ["remark"]

_DOUBTS = {
    "untranslated": "came back as it was",
    "wrong-script": "came in another script",
    "length": "came far too long or too short",
    "empty": "came back empty",
}
_REMOVED = {
    "loops": "repeated",
    "credits": "credits",
    "outside_speech": "outside speech",
    "speech_rate": "too fast to be said",
    "low_confidence": "improbable",
}


def remark(step: StepRow, result: Mapping[str, Any]) -> str:
    """Return what is to be said of the result of `step`; empty where that is nothing.

    Which sentence it is follows from a field of the result, whatever the stage.
    """
    known = {field.name for field in fields(STAGES[step.stage].result)}
    told = (tell(step, result) for name, tell in _REMARKS.items() if name in known and result.get(name))
    return " ".join(told)


def _doubts(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell of text that is not to be trusted as a translation."""
    marks = result["marks"]
    told = ", ".join(f"{number} {_DOUBTS.get(mark, mark)}" for mark, number in sorted(marks.items()))
    return f"{step.name}: of {result.get('segment_count', 0)} sentences {told}."


def _removals(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell of text that was heard and taken out."""
    removed = result["removed"]
    told = ", ".join(f"{number} {_REMOVED.get(rule, rule)}" for rule, number in removed.items())
    return f"{step.name}: {sum(removed.values())} removed: {told}."


def _quality(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell of the rules that cues break; the report beside them says which, and why."""
    return f"{step.name}: {result['quality']}."


def _notes(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell what the stage itself says."""
    return f"{step.name}: {'; '.join(result['notes'])}."


_REMARKS: dict[str, Callable[[StepRow, Mapping[str, Any]], str]] = {
    "marks": _doubts,
    "removed": _removals,
    "quality": _quality,
    "notes": _notes,
}
