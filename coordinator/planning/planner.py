"""Makes the plan of a submission. Pure: which environment serves a stage here is an argument."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from coordinator.plan import Plan, PlannedStep
from coordinator.planning.translators import Route
from protocol.errors import MissingError, UsageError
from protocol.languages import language_name, read_tag
from protocol.messages import Submit
from protocol.pipeline import SOURCE, Ingredient
from protocol.stages import OPTIONAL_STAGES, ROUTED_STAGES, STAGES, WORKFLOWS
from protocol.timeline import UNDETERMINED

__all__ = [
    "Refinement",
    "Services",
    "model_of",
    "plan",
    "refine",
    "routed",
    "title_of",
]


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """What the film's language changes once it is known: the steps that are not needed, and sentences why."""

    skipped: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Services:
    """Which environment serves what on this machine."""

    environment_for: Callable[[str], str]
    """Returns the environment that serves a stage; raises `MissingError` or `UsageError`."""
    route: Callable[[str | None, str], Route]
    """Returns what translates a pair of languages, source first (None: not known); raises `MissingError`."""
    at_hand: Collection[str] = ()
    """Optional stages whose environment is built and has its model."""


def plan(submit: Submit, services: Services) -> Plan:
    """Return the steps that `submit` asks for.

    Raises `UsageError` for a workflow that does not exist or a stage that cannot be left out,
    `MissingError` for a pair of languages that nothing here translates.
    """
    workflow = WORKFLOWS.get(submit.workflow)
    if workflow is None:
        message = f"{submit.workflow!r} is not a workflow; there are {', '.join(WORKFLOWS)}."
        raise UsageError(message)
    _check_optional(submit)
    recipe = tuple(part for part in workflow.recipe if _is_wanted(part, submit, services.at_hand))
    targets = submit.target_languages
    if submit.source_language in targets and workflow.keeps_source:
        targets = tuple(target for target in targets if target != submit.source_language)
    steps: list[PlannedStep] = []
    for ingredient in recipe:
        steps.extend(_steps_of(ingredient, recipe, targets, submit.source_language))
    return Plan(steps=tuple(_served(step, submit, services) for step in steps))


def _check_optional(submit: Submit) -> None:
    for stage in (*submit.with_stages, *submit.without_stages):
        if stage not in OPTIONAL_STAGES:
            message = f"The stage {stage!r} cannot be chosen or left out."
            raise UsageError(message, f"Those are {', '.join(OPTIONAL_STAGES)}.")
    both = set(submit.with_stages) & set(submit.without_stages)
    if both:
        message = f"The stage {both.pop()} is both asked for and left out."
        raise UsageError(message)


def _is_wanted(ingredient: Ingredient, submit: Submit, at_hand: Collection[str]) -> bool:
    stage = ingredient.stage
    optional = STAGES[stage].optional
    if not optional or stage in submit.with_stages:
        return True
    if stage in submit.without_stages:
        return False
    named = stage in submit.environments or stage in submit.parameters
    return named or (optional == "when-built" and stage in at_hand)


def _served(step: PlannedStep, submit: Submit, services: Services) -> PlannedStep:
    """Return the step with its environment; a translation into the source's own language is never done."""
    if step.stage not in ROUTED_STAGES or step.target is None or step.target == submit.source_language:
        return replace(step, environment=services.environment_for(step.stage))
    try:
        route = services.route(submit.source_language, step.target)
    except MissingError as error:
        scripts = [target for target in submit.target_languages if read_tag(target).language == step.target]
        if submit.source_language is not None or step.target in scripts:
            raise
        remedy = f"If the film is in {language_name(step.target)}, say so: -s {step.target}"
        raise MissingError(error.message, remedy) from error
    return routed(step, route)


def routed(step: PlannedStep, route: Route) -> PlannedStep:
    """Return the step of a translation with the environment and the model of its route."""
    return replace(
        step,
        environment=route.environment,
        choices={**step.choices, "model": route.model},
        reasons=(route.reason,),
    )


def _steps_of(
    ingredient: Ingredient,
    recipe: tuple[Ingredient, ...],
    targets: tuple[str, ...],
    source: str | None,
) -> list[PlannedStep]:
    per = {part.stage: part.per for part in recipe if part.per != "source"}
    there = {name for part in recipe for name in _names(part, targets, source)}
    after = tuple(
        name
        for stage in ingredient.after
        for part in recipe
        if part.stage == stage
        for name in _names(part, targets, source)
    )
    return [
        PlannedStep(
            name=_name(ingredient.stage, language),
            stage=ingredient.stage,
            environment="",
            target=None if language == SOURCE else language,
            needs=tuple(
                name
                for stage in ingredient.needs
                if (name := _needed(stage, language if per.get(stage) == "target" else None)) in there
            ),
            after=after,
        )
        for language in _languages(ingredient, targets, source)
    ]


def _names(ingredient: Ingredient, targets: tuple[str, ...], source: str | None) -> list[str]:
    return [_name(ingredient.stage, language) for language in _languages(ingredient, targets, source)]


def _languages(
    ingredient: Ingredient, targets: tuple[str, ...], source: str | None
) -> tuple[str | None, ...]:
    """Return what the stage has a step for.

    A translation is into a language, whatever scripts it is written in afterwards; of a film in that language
    nothing is translated to have it in another script.
    """
    if ingredient.per == "target" and ingredient.stage in ROUTED_STAGES:
        tags = [read_tag(target) for target in targets]
        return tuple(dict.fromkeys(tag.language for tag in tags if not tag.script or tag.language != source))
    per: dict[str, tuple[str | None, ...]] = {"film": (None,), "source": (SOURCE,), "target": targets}
    return per[ingredient.per]


def _needed(stage: str, target: str | None) -> str:
    """Return the step of a stage that makes what is needed for `target`, a tag."""
    return _name(stage, read_tag(target).language if target and stage in ROUTED_STAGES else target)


def _name(stage: str, language: str | None) -> str:
    return stage if language is None else f"{stage}-{language}"


def stage_of(step: str) -> str:
    """Return the stage of a step with this name."""
    return step.partition("-")[0]


def refine(
    submit: Submit, language: str, title: str, *, silent: bool = False, others: Sequence[str] = ()
) -> Refinement:
    """Return what changes now that the film's language is known, and whether anything is said (`silent`: no).

    `others` are the languages that are spoken in it, too.

    A film is not translated into its own language. In the workflow `subtitle` the source has its own track,
    so a track of a target in the same language is left out, too.
    """
    workflow = WORKFLOWS[submit.workflow]
    # Of the film's own language there is one track: a target's is not made where the source has one.
    spared = [
        part.stage
        for part in workflow.recipe
        if part.per == "target" and (part.stage in ROUTED_STAGES or workflow.has(part.stage, "source"))
    ]
    skipped: list[str] = []
    notes: list[str] = []
    silent = silent or language == UNDETERMINED
    if silent:
        notes.append(f"{title}: nothing is said in this film.")
    for target in submit.target_languages:
        tag = read_tag(target)
        if language == tag.language and not silent:
            notes.append(_in_script(title, target) if tag.script else _already(title, target, others))
        if silent or language == tag.language:
            # In another script the film's own language still has a track.
            unneeded = spared if silent or not tag.script else [*ROUTED_STAGES]
            skipped += [_needed(stage, target) for stage in unneeded]
    return Refinement(skipped=tuple(skipped), notes=tuple(notes))


def _in_script(title: str, target: str) -> str:
    language = language_name(read_tag(target).language)
    return f"{title} is in {language}: written as {language_name(target)}, not translated."


def _already(title: str, language: str, others: Sequence[str]) -> str:
    if not others:
        return f"{title} is already in {language_name(language)}: not translated."
    rest = " and ".join(map(language_name, others))
    return (
        f"{title} is already in {language_name(language)} for the most part: not translated. "
        f"What is said in {rest} stays in {rest}."
    )


_YEAR = re.compile(r"^(?P<title>.+?)[\s._(\[]+(?P<year>(?:19|20)\d\d)[)\]]?(?:[\s._)\]].*)?$")


def title_of(submit: Submit) -> tuple[str, int | None]:
    """Return title and year: what the person wrote, else what the name of the file says.

    `Sholay (1975).mkv` is ("Sholay", 1975); `2001.mkv` is ("2001", None).
    """
    stem = Path(submit.media).stem
    match = _YEAR.match(stem)
    title, year = stem, None
    if match and match["title"].strip(" ._-(["):
        title, year = match["title"].strip(" ._-(["), int(match["year"])
    return submit.title or title, submit.year or year


def model_of(step: PlannedStep, parameters: Mapping[str, Mapping[str, Any]], default: str) -> str:
    """Return the model that the step will use: the person's choice, else the environment's default."""
    chosen = parameters.get(step.stage, {}).get("model")
    if chosen is None:
        chosen = parameters.get(STAGES[step.stage].model_of, {}).get("model")
    return str(chosen or default)
