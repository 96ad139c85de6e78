"""What would be done for submissions, how long it would take and with how much memory; nothing is changed."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isfinite

import envspecs
from coordinator.plan import PlannedStep
from coordinator.planning import planner
from coordinator.planning.admission import Admitted, admit
from coordinator.running.roster import Member
from coordinator.timing.durations import filled
from coordinator.timing.outlook import whole_ms
from coordinator.timing.queue import Task, finish_times
from coordinator.timing.rates import Rates, rate_name
from envspecs.models import registry
from protocol.errors import InputError, info_from_error
from protocol.hardware import model_factor
from protocol.jobs.dry_run import FilmForecast, ModelForecast, StepForecast
from protocol.messages import DryRun, DryRunReport, Submit
from protocol.stages import STAGES

__all__ = ["dry_run"]


def dry_run(
    asked: DryRun, check_worker: Callable[[str], None], rates: Rates, members: Sequence[Member]
) -> DryRunReport:
    """Return what would be done. Raises what a submission would, but for what is wrong with one film alone.

    The time is that of these films alone, whatever else there is to do.
    """
    films: list[FilmForecast] = []
    planned: list[_Planned] = []
    for submit, length_ms in itertools.zip_longest(asked.submissions, asked.lengths_ms):
        try:
            film = _Planned.of(admit(submit, check_worker), length_ms, rates)
        except InputError as error:
            info = info_from_error(error)
            films.append(FilmForecast(media=submit.media, workflow=submit.workflow, error=info))
        else:
            planned.append(film)
            films.append(_forecast(film))
    models = _models(planned, members)
    return DryRunReport(
        films=tuple(films),
        models=models,
        takes_ms=_takes_ms(planned, members),
        memory_bytes=sum(model.bytes for model in models),
    )


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """A film with the steps that would be done, and how long each takes."""

    admitted: Admitted
    steps: tuple[PlannedStep, ...]
    sound_ms: int | None
    takes: dict[str, float | None]

    @classmethod
    def of(cls, admitted: Admitted, length_ms: int | None, rates: Rates) -> _Planned:
        """Foresee a submission; `length_ms` is that of the film."""
        submit = admitted.submit
        language = submit.source_language
        skipped = planner.refine(submit, language, "").skipped if language is not None else ()
        steps = tuple(step for step in admitted.steps if step.name not in skipped)
        names = {step.name: rate_name(step.stage, step.environment, submit, step.choices) for step in steps}
        first = [step.name for step in steps if not step.needs and not step.after]
        sound_ms = _sound_ms(submit, length_ms)
        takes = filled({step.name: step.stage for step in steps}, whole_ms(names, first, rates, sound_ms))
        return cls(admitted=admitted, steps=steps, sound_ms=sound_ms, takes=takes)


def _sound_ms(submit: Submit, length_ms: int | None) -> int | None:
    """Return how much of the film is worked on; None where neither the film nor a clip tells."""
    ends = [end_ms for end_ms in (submit.end_ms, length_ms) if end_ms is not None]
    return max(0, min(ends) - (submit.start_ms or 0)) if ends else None


def _forecast(film: _Planned) -> FilmForecast:
    submit = film.admitted.submit
    return FilmForecast(
        media=submit.media,
        workflow=submit.workflow,
        steps=tuple(
            StepForecast(
                name=step.name,
                stage=step.stage,
                environment=step.environment,
                model=_model(step, submit),
                reasons=step.reasons,
                takes_ms=_whole(film.takes[step.name]),
            )
            for step in film.steps
        ),
        notes=film.admitted.notes,
        length_ms=film.sound_ms,
        takes_ms=_takes_ms([film], ()),
    )


def _whole(milliseconds: float | None) -> int | None:
    return None if milliseconds is None else round(milliseconds)


def _model(step: PlannedStep, submit: Submit) -> str:
    settings = submit.parameters.get(step.stage, {})
    if not STAGES[step.stage].needs_model(settings):
        return ""
    return str(settings.get("model", step.choices.get("model", "")))


def _takes_ms(films: Sequence[_Planned], members: Iterable[Member]) -> int | None:
    """Return how long the films take together, with at least one worker of each environment."""
    tasks: list[Task] = []
    for number, film in enumerate(films):
        places = {step.name: len(tasks) + index for index, step in enumerate(film.steps)}
        for position, step in enumerate(film.steps):
            takes = film.takes[step.name]
            tasks.append(
                Task(
                    environment=step.environment,
                    takes=float("inf") if takes is None else takes,
                    order=(-film.admitted.submit.priority, number, position),
                    needs=tuple(places[name] for name in (*step.needs, *step.after) if name in places),
                )
            )
    workers = Counter(task.environment for task in tasks).keys()
    there = Counter(member.environment for member in members)
    end_ms = max(finish_times(tasks, {name: max(1, there[name]) for name in workers}), default=0.0)
    return round(end_ms) if isfinite(end_ms) else None


def _models(films: Iterable[_Planned], members: Sequence[Member]) -> tuple[ModelForecast, ...]:
    """Return the models that the steps use, each once an environment, and what they take."""
    found: dict[tuple[str, str], ModelForecast] = {}
    for film in films:
        for step in film.steps:
            model = _model(step, film.admitted.submit)
            if model and (step.environment, model) not in found:
                found[step.environment, model] = _model_forecast(step, model, film.admitted, members)
    return tuple(found.values())


def _model_forecast(
    step: PlannedStep, model: str, admitted: Admitted, members: Sequence[Member]
) -> ModelForecast:
    measured = [
        loaded.bytes
        for member in members
        if member.environment == step.environment
        for loaded in member.models
        if loaded.model == model
    ]
    return ModelForecast(
        environment=step.environment,
        model=model,
        bytes=max(measured, default=0) or _estimate(step, model, admitted),
        loaded=bool(measured),
    )


def _estimate(step: PlannedStep, model: str, admitted: Admitted) -> int:
    """Return what the model takes at most, by the sizes of its files; 0 where they are not in the store."""
    manifest = registry.read_manifest(envspecs.models_directory() / model)
    if manifest is None:
        return 0
    settings = {**step.choices, **admitted.submit.parameters.get(step.stage, {})}
    device = str(settings.get("device", "cpu")).partition(":")[0]
    usual = admitted.here.specs[step.environment].computing_of(step.stage).compute_types
    compute_type = str(settings.get("compute_type") or usual.get(device, ""))
    return sum(round(file.size * model_factor(name, compute_type)) for name, file in manifest.files.items())
