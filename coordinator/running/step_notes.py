"""What a person must know of a step's result: one sentence that stands with the job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from coordinator.store.rows import StepRow

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
    """Return what is to be said of the result of `step`; empty where that is nothing."""
    told = _REMARKS.get(step.stage)
    return told(step, result) if told else ""


def _doubts(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell of a translation that is not to be trusted."""
    marks = result.get("marks")
    if not marks:
        return ""
    told = ", ".join(f"{number} {_DOUBTS.get(mark, mark)}" for mark, number in sorted(marks.items()))
    return f"{step.name}: of {result.get('segment_count', 0)} sentences {told}."


def _removals(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell of text that was heard and taken out."""
    removed = result.get("removed")
    if not removed:
        return ""
    told = ", ".join(f"{number} {_REMOVED.get(rule, rule)}" for rule, number in removed.items())
    return f"{step.name}: {sum(removed.values())} removed: {told}."


def _quality(step: StepRow, result: Mapping[str, Any]) -> str:
    """Tell of the rules that cues break; the report beside them says which, and why."""
    found = result.get("quality")
    return f"{step.name}: {found}." if found else ""


_REMARKS: dict[str, Callable[[StepRow, Mapping[str, Any]], str]] = {
    "translate": _doubts,
    "clean": _removals,
    "subtitle": _quality,
}
