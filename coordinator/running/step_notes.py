"""What a person must know of a step's result: one sentence that stands with the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

from coordinator.store.rows import StepRow
from protocol.languages import language_name
from protocol.stages import STAGES
from protocol.subtitles.doubts import DOUBTS

__all__ = ["remark"]

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
    """Tell of text that is not to be trusted as a translation, and of what was tried again."""
    marks, retried = result["marks"], result.get("retried", 0)
    doubted = result.get("doubted") or max(marks.values(), default=0)
    order = {mark: place for place, mark in enumerate(DOUBTS)}
    ordered = sorted(marks.items(), key=lambda pair: (order.get(pair[0], len(order)), pair[0]))
    told = ", ".join(f"{number} {DOUBTS.get(mark, mark)}" for mark, number in ordered)
    said = f"{step.name}: {doubted} of {result.get('segment_count', 0)} sentences doubtful: {told}."
    return f"{said} Tried again: {retried}." if retried else said


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


def _languages(_step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell which languages are spoken, and how much of each: `English (61 %)`."""
    spoken = result["languages"]
    whole = max(1, sum(spoken.values()))
    told = ", ".join(f"{language_name(code)} ({round(100 * ms / whole)} %)" for code, ms in spoken.items())
    number = _NUMBERS.get(len(spoken), str(len(spoken)))
    return f"{number} languages are spoken: {told}."


_NUMBERS = {2: "Two", 3: "Three", 4: "Four", 5: "Five"}
_REMARKS: dict[str, Callable[[StepRow, Mapping[str, Any]], str]] = {
    "languages": _languages,
    "marks": _doubts,
    "removed": _removals,
    "quality": _quality,
    "notes": _notes,
}
