"""Takes in a submission: everything that can be refused is refused before the job exists."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coordinator.plan import Plan, PlannedStep
from coordinator.planning import planner
from coordinator.planning.assignments import equipped, passed_over, services, told_outside
from coordinator.planning.inventory import Inventory, fitting_model
from coordinator.planning.job_json import job_facts
from coordinator.planning.quality import quality_note
from coordinator.store import job_folder
from coordinator.store.store import Store
from protocol.artefacts import write_whole
from protocol.errors import InputError, MissingError, SchemaError, UsageError
from protocol.failpoints import reach
from protocol.jobs.glossary import sources_of
from protocol.jobs.voices import SPEAKERS
from protocol.languages import find_language, find_tag
from protocol.messages import Submit, Submitted
from protocol.schema import check_field
from protocol.stages import ROUTED_STAGES, STAGES, WORKFLOWS, translate
from protocol.subtitles.corrections import CORRECTIONS

__all__ = ["Admitted", "admit", "changed", "forget_unfinished", "take_in"]

log = logging.getLogger(__name__)

_MAX_PRIORITY = 1_000
_CLAIMED = "claimed"
_CARRIED = {
    CORRECTIONS: "What was corrected in {job} is applied where it fits.",
    SPEAKERS: "Voices are called as in {job}, where they are told apart.",
}
"""A file of an earlier job's folder, and the note that it is in the new one's, too."""
_MIN_FREE_BYTES = 256 * 1024 * 1024


def take_in(submit: Submit, store: Store, check_worker: Callable[[str], None]) -> Submitted:
    """Check the submission, make its plan and its folder, and commit the job.

    `check_worker` raises where an environment has no worker and none is expected to start. Raises
    `UsageError`, `InputError` or `MissingError`; then nothing is left behind.
    """
    reach("coordinator.submit.received")
    known = store.job_by_key(submit.key) if submit.key else None
    if known is not None:
        # The answer was lost on its way, and the client has sent the submission again.
        return Submitted(job=known.id, directory=str(known.directory), notes=known.notes)
    return _take_in(admit(submit, check_worker), store)


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """A submission that can become a job, and what that would be."""

    submit: Submit
    """With the model of every stage."""
    steps: tuple[PlannedStep, ...]
    notes: tuple[str, ...]
    here: Inventory


def admit(submit: Submit, check_worker: Callable[[str], None]) -> Admitted:
    """Check the submission and make its plan; nothing is changed. Raises as `take_in` does."""
    submit = _normalise(submit)
    here = Inventory.look()
    for stage in submit.environments:
        here.serving(stage, submit.environments)
    plan = planner.plan(submit, services(submit, here))
    for name in dict.fromkeys(step.environment for step in plan.steps):
        here.check_built(here.specs[name])
        check_worker(name)
    asked, submit = submit, _with_models(submit, plan, here)
    notes: tuple[str, ...] = ()
    language = submit.source_language
    if language is not None:
        notes = planner.refine(submit, language, planner.title_of(submit)[0]).notes
        better = quality_note(submit, language, plan.steps, here)
        notes = (*notes, better) if better else notes
    notes = (*notes, *passed_over(plan.steps, asked, here), *told_outside(plan.steps, here))
    if submit.glossary:
        notes = (*notes, f"The glossary has {len(sources_of(submit.glossary))} terms.")
    return Admitted(submit=submit, steps=equipped(plan.steps, submit, here), notes=notes, here=here)


def _take_in(admitted: Admitted, store: Store) -> Submitted:
    submit, steps, notes = admitted.submit, admitted.steps, admitted.notes
    out = Path(submit.out)
    _check_out(out)
    job, folder = job_folder.claim_folder(out, submit.user, store.highest_number)
    notes = (*notes, *_carry_over(submit, store, folder))
    store.set_fact(_CLAIMED, f"{job} {folder}")
    try:
        facts = job_facts(job, submit, planner.title_of(submit), steps, admitted.here)
        job_folder.write_job(folder, facts)
        reach("coordinator.submit.job-written")
        with store.transaction():
            store.add_job(job, submit, folder, steps, list(notes))
            reach("coordinator.submit.before-commit")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    reach("coordinator.submit.committed")
    for step in steps:
        for reason in step.reasons:
            log.info("%s %s: %s", job, step.name, reason)
    return Submitted(job=job, directory=str(folder), notes=notes)


def _carry_over(submit: Submit, store: Store, folder: Path) -> tuple[str, ...]:
    """Take over what a person said in earlier jobs of the film; return notes that say so."""
    notes = []
    for name, sentence in _CARRIED.items():
        for earlier in store.jobs_of(submit.media):
            said = earlier.directory / name
            if said.is_file():
                write_whole(folder / name, said.read_bytes())
                notes.append(sentence.format(job=earlier.id))
                break
    return tuple(notes)


def forget_unfinished(store: Store) -> None:
    """Remove the folder of a submission during which an earlier run died: nobody was told of a job."""
    job, _, folder = store.get_fact(_CLAIMED).partition(" ")
    if job and store.job(job) is None:
        job_folder.remove_untouched(Path(folder))


def _normalise(submit: Submit) -> Submit:
    if not Path(submit.media).is_absolute() or not Path(submit.out).is_absolute():
        message = "A job needs absolute paths."
        raise UsageError(message)
    if not Path(submit.media).is_file():
        message = f"{submit.media} is not there."
        raise InputError(message)
    source = find_language(submit.source_language).code if submit.source_language else None
    targets = tuple(dict.fromkeys(str(find_tag(language)) for language in submit.target_languages))
    workflow = WORKFLOWS.get(submit.workflow)
    if workflow is not None and targets and not workflow.translates:
        message = f"The workflow {workflow.name} makes no translation."
        raise UsageError(message, "Use --workflow subtitle or translate, or leave out -t.")
    if workflow is not None:
        targets = targets or workflow.default_targets
    if abs(submit.priority) > _MAX_PRIORITY:
        message = f"The priority {submit.priority} is not between -{_MAX_PRIORITY} and {_MAX_PRIORITY}."
        raise UsageError(message)
    for stage, fields in submit.parameters.items():
        _check_parameters(stage, fields)
    return dataclasses.replace(submit, source_language=source, target_languages=targets)


def _check_parameters(stage: str, fields: dict[str, Any]) -> None:
    """Raise `UsageError` for a stage or a field that there is not, or a value of another type."""
    if stage not in STAGES:
        message = f"There is no stage {stage!r}; there are {', '.join(STAGES)}."
        raise UsageError(message)
    known = [field.name for field in dataclasses.fields(STAGES[stage].request)]
    for name, value in fields.items():
        if name not in known:
            message = f"The stage {stage} has no parameter {name!r}; it has {', '.join(known)}."
            raise UsageError(message)
        try:
            check_field(STAGES[stage].request, name, value)
        except SchemaError as error:
            message = f"{stage}.{name}: {error.problem}."
            raise UsageError(message) from error


def changed(submit: Submit, parameters: dict[str, dict[str, Any]]) -> Submit:
    """Return the submission of a job with other parameters; raises where they are wrong."""
    here = Inventory.look()
    for stage, fields in parameters.items():
        _check_parameters(stage, fields)
        if (model := fields.get("model")) is not None and not here.has_model(str(model)):
            message = f"The model {model} is not in the model store."
            raise MissingError(message, f"cpw models fetch {model}")
    merged = {stage: {**submit.parameters.get(stage, {}), **fields} for stage, fields in parameters.items()}
    return dataclasses.replace(submit, parameters={**submit.parameters, **merged})


def _with_models(submit: Submit, plan: Plan, here: Inventory) -> Submit:
    """Return the submission with the model of every stage, so that what it says is what is done.

    The model of a translation depends on the languages: it stands in the plan.
    """
    parameters = {stage: dict(fields) for stage, fields in submit.parameters.items()}
    for step in plan.steps:
        stage = STAGES[step.stage]
        if stage.name in ROUTED_STAGES or not stage.takes("model"):
            continue
        spec = here.specs[step.environment]
        chosen = planner.model_of(step, submit.parameters, here.default_model(step.stage, spec))
        model = fitting_model(chosen, spec, here.registry)
        known = here.registry.get(model)
        if known is None and not here.has_model(model):
            message = f"There is no model {model!r}; there are {', '.join(here.registry)}."
            raise UsageError(message, "cpw models list")
        if stage.needs_model(submit.parameters.get(stage.name, {})) and not here.has_model(model):
            message = f"The model {model} is not in the model store."
            raise MissingError(message, f"cpw models fetch {model}")
        spoken = known.languages if known is not None else ()
        if spoken and submit.source_language not in (None, *spoken):
            message = f"The model {model} knows {', '.join(spoken)} only, not {submit.source_language}."
            raise UsageError(message, "cpw models list")
        parameters.setdefault(step.stage, {})["model"] = model
    translating = parameters.get(translate.STAGE.name, {})
    if "model" in translating:
        translating["model"] = here.translator_model(str(translating["model"]))
    return dataclasses.replace(submit, parameters=parameters)


def _check_out(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(out).free
    except OSError as error:
        message = f"Jobs cannot be written to {out}: {error.strerror}."
        raise UsageError(message, "Name another folder with --out.") from error
    if free < _MIN_FREE_BYTES:
        message = f"Only {free // 2**20} MB are free in {out}."
        raise UsageError(message, "Make room, or name another folder with --out.")
