"""Routes of a job's translations: at its submission, and again once its film's language is known."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from coordinator.inventory import Inventory
from coordinator.planner import Servants
from coordinator.routing import Route, find_route
from coordinator.rows import StepRow
from protocol.errors import CpwError, ErrorInfo, info_from_error
from protocol.messages import Submit

__all__ = ["doubts", "reroute", "servants"]

log = logging.getLogger(__name__)


def servants(submit: Submit, here: Inventory) -> Servants:
    """Return who serves this wish."""

    def route(source: str | None, target: str) -> Route:
        translators = here.translators(submit.environments, *_models(submit))
        return find_route(source, target, translators)

    return Servants(
        environment_for=lambda stage: here.serving(stage, submit.environments).name,
        route=route,
        at_hand=here.at_hand(submit.environments),
    )


def _models(submit: Submit) -> tuple[str | None, str | None]:
    return submit.parameters.get("translate", {}).get("model"), submit.parameters.get("asr", {}).get("model")


_DOUBTS = {
    "untranslated": "came back as it was",
    "wrong-script": "came in another script",
    "length": "came far too long or too short",
    "empty": "came back empty",
}


def doubts(step: StepRow, result: Mapping[str, Any]) -> str:
    """Return what a person must know of a translation that is not to be trusted; empty where it is."""
    marks = result.get("marks")
    if step.stage != "translate" or not marks:
        return ""
    told = ", ".join(f"{number} {_DOUBTS.get(mark, mark)}" for mark, number in sorted(marks.items()))
    return f"{step.name}: of {result.get('segment_count', 0)} sentences {told}."


def reroute(submit: Submit, language: str, steps: Sequence[StepRow]) -> dict[str, Route | ErrorInfo]:
    """Return the route of each translation that has to be done, or why there is none.

    At the submission the film's language was not known: what stands in the plan was a guess.
    """
    here = Inventory.look()
    found: dict[str, Route | ErrorInfo] = {}
    for step in steps:
        if step.stage != "translate" or step.target is None or step.state != "waiting":
            continue
        try:
            translators = here.translators(submit.environments, *_models(submit))
            found[step.name] = find_route(language, step.target, translators)
        except CpwError as error:
            found[step.name] = info_from_error(error)
    return found
