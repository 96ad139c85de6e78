"""A person's wish to a plan of steps. Pure: what is built and where it runs are arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.recipes import RECIPES, SOURCE, Ingredient
from protocol.errors import MissingError, UsageError
from protocol.languages import language_name
from protocol.messages import Submit
from protocol.timeline import UNDETERMINED

__all__ = ["Plan", "PlannedStep", "Refinement", "model_of", "plan", "refine", "title_of"]


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One stage in one environment. `target` is a language where the step is for one."""

    name: str
    stage: str
    environment: str
    target: str | None
    needs: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps in an order in which each comes after all that it waits for."""

    steps: tuple[PlannedStep, ...]


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """What knowing the film's language changes: steps not to be done, and why."""

    skipped: tuple[str, ...]
    notes: tuple[str, ...]


def plan(submit: Submit, environment_for: Callable[[str], str]) -> Plan:
    """Lay out the steps of `submit`.

    `environment_for` names the environment that serves a stage, or raises `MissingError`. Raises
    `UsageError` for a workflow that does not exist, `MissingError` for a pair of languages that nothing
    here translates.
    """
    recipe = RECIPES.get(submit.workflow)
    if recipe is None:
        message = f"{submit.workflow!r} is not a workflow; there are {', '.join(RECIPES)}."
        raise UsageError(message)
    targets = submit.target_languages
    if submit.source_language in targets and submit.workflow != "translate":
        targets = tuple(each for each in targets if each != submit.source_language)
    for target in targets:
        if target != submit.source_language:
            _check_pair(submit.source_language, target)
    steps: list[PlannedStep] = []
    for ingredient in recipe:
        steps.extend(_steps_of(ingredient, recipe, targets, environment_for))
    return Plan(steps=tuple(steps))


def _steps_of(
    ingredient: Ingredient,
    recipe: tuple[Ingredient, ...],
    targets: tuple[str, ...],
    environment_for: Callable[[str], str],
) -> list[PlannedStep]:
    languages = {"film": (None,), "source": (SOURCE,), "target": targets}[ingredient.per]
    per = {each.stage: each.per for each in recipe if each.per != "source"}
    after = tuple(
        name
        for stage in ingredient.after
        for each in recipe
        if each.stage == stage
        for name in _names(each, targets)
    )
    return [
        PlannedStep(
            name=_name(ingredient.stage, language),
            stage=ingredient.stage,
            environment=environment_for(ingredient.stage),
            target=None if language == SOURCE else language,
            needs=tuple(
                _name(stage, language if per.get(stage) == "target" else None) for stage in ingredient.needs
            ),
            after=after,
        )
        for language in languages
    ]


def _names(ingredient: Ingredient, targets: tuple[str, ...]) -> list[str]:
    languages = {"film": (None,), "source": (SOURCE,), "target": targets}[ingredient.per]
    return [_name(ingredient.stage, each) for each in languages]


def _name(stage: str, language: str | None) -> str:
    return stage if language is None else f"{stage}-{language}"


def _check_pair(source: str | None, target: str) -> None:
    # Whisper is the one translator so far, and it was trained to translate into English only.
    if target != "en":
        spoken = language_name(source) if source else "the film's language"
        message = f"Nothing that is built here translates {spoken} into {language_name(target)}."
        raise MissingError(message, "Ask for English: -t en")


def refine(submit: Submit, language: str, title: str) -> Refinement:
    """Return what the film's language, now known, changes.

    A target that is the film's own language is not translated; where the source has a track of its own
    (workflow `subtitle`) the target's would be the same one.
    """
    skipped: list[str] = []
    notes: list[str] = []
    if language == UNDETERMINED:
        notes.append(f"{title}: nothing is said in this film.")
    for target in submit.target_languages:
        if language == target:
            notes.append(f"{title} is already in {language_name(target)}: not translated.")
        if language in (target, UNDETERMINED):
            skipped.append(f"translate-{target}")
            if submit.workflow == "subtitle":
                skipped.append(f"subtitle-{target}")
    return Refinement(skipped=tuple(skipped), notes=tuple(notes))


_YEAR = re.compile(r"^(?P<title>.+?)[\s._(\[]+(?P<year>(?:19|20)\d\d)[)\]]?(?:[\s._)\]].*)?$")


def title_of(submit: Submit) -> tuple[str, int | None]:
    """Return title and year: what the person said, else what the file's name says.

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
    if chosen is None and step.stage in ("align", "translate"):
        chosen = parameters.get("asr", {}).get("model")
    return str(chosen or default)
