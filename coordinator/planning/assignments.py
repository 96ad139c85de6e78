"""Who does each step and with what: at the submission, and for translations when the language is known."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coordinator.plan import PlannedStep
from coordinator.planning.hardware_choices import choose
from coordinator.planning.inventory import Inventory
from coordinator.planning.planner import Services
from coordinator.planning.translators import Route, find_route
from coordinator.store.rows import StepRow
from protocol.errors import CpwError, ErrorInfo, info_from_error
from protocol.jobs.addresses import host_of, is_this_machine
from protocol.messages import Submit
from protocol.stages import ROUTED_STAGES, asr, translate

__all__ = ["Assignment", "equipped", "next_translator", "passed_over", "reroute", "services", "told_outside"]

log = logging.getLogger(__name__)


def services(submit: Submit, here: Inventory) -> Services:
    """Return what serves this submission."""

    def route(source: str | None, target: str) -> Route:
        translators = here.translators(submit.environments, *_models(submit))
        return find_route(source, target, translators)

    def serving(stage: str) -> str:
        return here.serving(stage, submit.environments, _asked(submit, stage)).name

    return Services(
        environment_for=serving,
        route=route,
        at_hand=here.at_hand(submit.environments),
    )


def _asked(submit: Submit, stage: str) -> str | None:
    """Return the model that a person chose for the stage."""
    return submit.parameters.get(stage, {}).get("model")


def passed_over(steps: Iterable[PlannedStep], submit: Submit, here: Inventory) -> tuple[str, ...]:
    """Return a sentence for each step that falls to another environment, as the first one lacks its model."""
    found = []
    for step in steps:
        if step.stage in ROUTED_STAGES or step.stage in submit.environments:
            continue
        asked = _asked(submit, step.stage)
        better = here.first_built(step.stage, asked)
        if better is not None and better.name != step.environment:
            model = asked or here.default_model(step.stage, better)
            found.append(
                f"{step.stage} by {step.environment}: {better.name} would come first, but its model {model} "
                f"is not in the model store (cpw models fetch {model})."
            )
    return tuple(found)


def _models(submit: Submit) -> tuple[str | None, str | None]:
    """Return the models that a person chose for translating and for recognising."""
    return _asked(submit, translate.STAGE.name), _asked(submit, asr.STAGE.name)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """The environment of a step, the fields of its request that were chosen, and why."""

    environment: str
    choices: dict[str, Any]
    reasons: tuple[str, ...]


def equip(stage: str, assignment: Assignment, submit: Submit, here: Inventory) -> Assignment:
    """Return the assignment with what depends on the hardware: device, compute type, batch size."""
    name = assignment.environment
    asked = submit.parameters.get(stage, {})
    found = choose(stage, here.specs[name], here.hardware, asked, here.versions(name))
    return replace(
        assignment,
        choices={**assignment.choices, **found.values},
        reasons=(*assignment.reasons, *found.reasons),
    )


def equipped(steps: Iterable[PlannedStep], submit: Submit, here: Inventory) -> tuple[PlannedStep, ...]:
    """Return the plan's steps with the choices that depend on the hardware."""
    found = []
    for step in steps:
        planned = Assignment(environment=step.environment, choices=step.choices, reasons=step.reasons)
        assignment = equip(step.stage, planned, submit, here)
        found.append(replace(step, choices=assignment.choices, reasons=assignment.reasons))
    return tuple(found)


def reroute(
    submit: Submit, language: str | None, steps: Sequence[StepRow]
) -> dict[str, Assignment | ErrorInfo]:
    """Return which environment does each translation that waits, or why none can.

    The plan was made before the film's language was known: its environments for translations were a guess.
    """
    here = Inventory.look_on()
    found: dict[str, Assignment | ErrorInfo] = {}
    for step in steps:
        if step.stage not in ROUTED_STAGES or step.target is None or step.state != "waiting":
            continue
        try:
            translators = here.translators(submit.environments, *_models(submit))
            route = find_route(language, step.target, translators)
        except CpwError as error:
            found[step.name] = info_from_error(error)
            continue
        found[step.name] = _routed(step, route, submit, here)
    return found


def next_translator(submit: Submit, language: str | None, step: StepRow, here: Inventory) -> Assignment:
    """Return who translates what the step's environment has left; `MissingError` where nobody does.

    What a person chose for that environment says nothing about others.
    """
    parameters = {stage: fields for stage, fields in submit.parameters.items() if stage != step.stage}
    others = replace(submit, environments={}, parameters=parameters)
    translators = here.translators({}, *_models(others))
    left = [found for found in translators if found.environment != step.environment]
    return _routed(step, find_route(language, step.target or "", left), others, here)


def _routed(step: StepRow, route: Route, submit: Submit, here: Inventory) -> Assignment:
    assignment = Assignment(
        environment=route.environment, choices={"model": route.model}, reasons=(route.reason,)
    )
    return equip(step.stage, assignment, submit, here)


def told_outside(steps: Iterable[PlannedStep], here: Inventory) -> tuple[str, ...]:
    """Return a sentence for each service on another machine that is sent what is said in the film."""
    named = {step.environment: here.specs[step.environment].service for step in steps}
    found = {
        environment: os.environ.get(service.address, "")
        for environment, service in named.items()
        if service is not None
    }
    return tuple(
        f"The text of the subtitles leaves this machine: {environment} sends it to {host_of(address)}."
        for environment, address in found.items()
        if address and not is_this_machine(address)
    )
