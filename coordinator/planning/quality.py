"""What to expect of a job, by the grades of its models, and whether a better set is to be had.

`cpw setup` fetches what `better_by` names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from coordinator.plan import PlannedStep
from coordinator.planning.inventory import Inventory
from coordinator.store.rows import StepRow
from envspecs.models.registry import GRADES, Model, read_registry
from envspecs.setup.choice import choose, is_hard
from envspecs.setup.needs import find_needs
from envspecs.setup.pins import Pins, read_pins
from protocol.jobs.quality import Grade, Quality
from protocol.languages import language_name, read_tag
from protocol.messages import Submit
from protocol.stages import asr, translate

__all__ = ["better_by", "known_grades", "quality_note", "quality_of"]

_ENGLISH = "en"
Step = PlannedStep | StepRow


@lru_cache(maxsize=1)
def known_grades() -> Mapping[str, Model]:
    """Return the registry as it was at the first question: a report asks for thousands of jobs."""
    return read_registry()


def quality_of(
    submit: Submit, language: str | None, steps: Iterable[Step], registry: Mapping[str, Model]
) -> Quality | None:
    """Return the grade of the job's weakest model, and which it is; None where none of them has one.

    `language` is the film's, None while it is not known.
    """
    spoken = language_name(language) if language else "the film's language"
    found: list[tuple[int, str]] = []
    recogniser = _model(submit, asr.STAGE.name)
    if rank := _rank(recogniser, language, registry):
        found.append((rank, f"{recogniser} recognises {spoken}"))
    for step in steps:
        if step.stage != translate.STAGE.name or step.target in (None, language):
            continue
        model = _model(submit, step.stage) or str(step.choices.get("model", ""))
        if rank := _translating(model, language, registry):
            found.append((rank, f"{model} translates {spoken} into {language_name(step.target or '')}"))
    if not found:
        return None
    rank, why = min(found, key=lambda entry: entry[0])
    return Quality(grade=GRADES[rank - 1], why=why)


def _model(submit: Submit, stage: str) -> str:
    return str(submit.parameters.get(stage, {}).get("model", ""))


def _rank(model: str, language: str | None, registry: Mapping[str, Model]) -> int:
    """Return 1 for a draft, 3 for the best; 0 where nobody has graded the model."""
    grade: Grade | None = registry[model].grade(language) if model in registry else None
    return GRADES.index(grade) + 1 if grade else 0


def _translating(model: str, language: str | None, registry: Mapping[str, Model]) -> int:
    """Return the same for a translator: Whisper's own translation is never the best, and a draft where it
    hears little."""
    rank = _rank(model, language, registry)
    hears = model in registry and not registry[model].translates_from
    if not hears or not rank:
        return rank
    return min(rank, 1 if language is None or is_hard(language, registry) else 2)


def quality_note(submit: Submit, language: str, steps: Iterable[Step], here: Inventory) -> str:
    """Return `draft quality for Hindi: cpw setup --for hi`; empty where there is nothing better to be had."""
    quality = quality_of(submit, language, steps, here.registry)
    command = better_by(quality, submit, language, here) if quality else ""
    return f"{quality.grade} quality for {language_name(language)}: {command}" if quality and command else ""


def better_by(quality: Quality, submit: Submit, language: str, here: Inventory) -> str:
    """Return the command that fetches models with a better grade for this job; empty where there are none.

    Models that are here already are a person's to use: they have named others.
    """
    if here.chosen is None:
        return ""
    pins = read_pins()
    asked = [code for code in (language, *_targets(submit)) if code != _ENGLISH]
    wanted = replace(pins, languages=tuple(dict.fromkeys((*pins.languages, *asked))))
    best = _reachable(wanted, submit, language, here)
    if best is None or GRADES.index(best) <= GRADES.index(quality.grade):
        return ""
    if _reachable(pins, submit, language, here) == best:
        return "cpw setup"
    return f"cpw setup --for {','.join(dict.fromkeys(asked))}"


def _targets(submit: Submit) -> list[str]:
    """Return the languages of the targets, whatever script they are to be written in."""
    return list(dict.fromkeys(read_tag(target).language for target in submit.target_languages))


def _reachable(pins: Pins, submit: Submit, language: str, here: Inventory) -> Grade | None:
    """Return the grade that the job would have with what is chosen for these languages.

    None where something has no grade, or where all of that is here already.
    """
    chosen = choose(here.hardware, pins, here.registry)
    needs = find_needs(chosen, pins, here.hardware, tuple(here.specs.values()), here.registry)
    translators = [need.model.id for need in needs if need.model.translates_from]
    using = [(_rank(chosen.recogniser, language, here.registry), chosen.recogniser)]
    for target in _targets(submit):
        if target != language:
            ways = _ways((*translators, chosen.into_english), language, target, here)
            using.append(max(ways, default=(0, "")))
    worst = min(rank for rank, _ in using)
    if not worst or all(here.has_model(model) for _, model in using):
        return None
    return GRADES[worst - 1]


def _ways(models: Iterable[str], language: str, target: str, here: Inventory) -> Iterator[tuple[int, str]]:
    """Yield each model that translates the pair, its rank first."""
    for model in models:
        known = here.registry.get(model)
        if known is not None and known.has_pair(language, target):
            yield _translating(model, language, here.registry), model
