"""What `job.json` says: what the person asked for, and with what each step is done, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import envspecs
from coordinator.plan import PlannedStep
from coordinator.planning.inventory import Inventory
from coordinator.planning.quality import quality_of
from coordinator.store import job_folder
from coordinator.store.rows import StepRow
from protocol.messages import Submit
from protocol.schema import to_plain

__all__ = ["job_facts", "renew"]

Step = PlannedStep | StepRow


def job_facts(
    job: str,
    submit: Submit,
    title: tuple[str, int | None],
    steps: Iterable[PlannedStep],
    here: Inventory,
) -> dict[str, Any]:
    """Return the body of `job.json`."""
    media = Path(submit.media).stat()
    planned = tuple(steps)
    return {
        "job": job,
        "workflow": submit.workflow,
        "source_language": submit.source_language,
        "target_languages": submit.target_languages,
        "input_media": {"path": submit.media, "size": media.st_size, "modified_ns": media.st_mtime_ns},
        "title": title[0],
        "year": title[1],
        "user": submit.user,
        "audio_track": submit.audio_track,
        "start_ms": submit.start_ms,
        "end_ms": submit.end_ms,
        "parameters": submit.parameters,
        **({"glossary": to_plain(submit.glossary)} if submit.glossary else {}),
        "debug": submit.debug,
        "hardware": to_plain(here.hardware),
        **_steps_of(planned, submit, submit.source_language, here),
    }


def renew(folder: Path, submit: Submit, language: str | None, steps: Iterable[Step]) -> None:
    """Bring `job.json` up to date with routes found after the submission; a file that is lost stays lost."""
    try:
        facts = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    now = _steps_of(steps, submit, language, Inventory.look_on())
    # An environment that was upgraded since then keeps the versions of the submission here.
    now["environments"] = {**now["environments"], **facts.get("environments", {})}
    renewed = {**facts, **to_plain({"parameters": submit.parameters, **now})}
    if renewed != facts:
        job_folder.write_job(folder, renewed)


def _steps_of(steps: Iterable[Step], submit: Submit, language: str | None, here: Inventory) -> dict[str, Any]:
    """Return the part of `job.json` about the steps, which changes when routes change."""
    planned = tuple(steps)
    quality = quality_of(submit, language, planned, here.registry)
    used = sorted({step.environment for step in planned})
    return {
        "quality": to_plain(quality) if quality else None,
        "stage_environments": _by_stage(planned),
        "steps": [
            {
                "name": step.name,
                "environment": step.environment,
                "engine": _engine(step, here.specs),
                "model": _model_of(step, submit),
                "licence": _licence(_model_of(step, submit), here),
                "choices": step.choices,
                "reasons": step.reasons,
            }
            for step in planned
        ],
        "environments": {name: _installed(name) for name in used},
    }


def _model_of(step: Step, submit: Submit) -> str | None:
    model = submit.parameters.get(step.stage, {}).get("model", step.choices.get("model"))
    return str(model) if model else None


def _licence(model: str | None, here: Inventory) -> str | None:
    """Return the licence of the model's weights as the registry says it."""
    return here.registry[model].licence if model in here.registry else None


def _by_stage(steps: tuple[Step, ...]) -> dict[str, str]:
    """Return the environment of each stage; of each step where several environments do one stage."""
    served: dict[str, set[str]] = {}
    for step in steps:
        served.setdefault(step.stage, set()).add(step.environment)
    return {step.stage if len(served[step.stage]) == 1 else step.name: step.environment for step in steps}


def _engine(step: Step, specs: Mapping[str, envspecs.EnvSpec]) -> str:
    entry = specs[step.environment].stages.get(step.stage) if step.environment in specs else None
    return entry.engine if entry is not None else ""


def _installed(name: str) -> dict[str, Any]:
    marker = envspecs.read_marker(envspecs.venv_path(name))
    return {"key": marker.key, "versions": marker.versions} if marker else {}
