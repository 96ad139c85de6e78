"""The commands of `python3 -m envspecs models`; each returns an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import fill

from envspecs import choosing
from envspecs.builds.installed import is_built
from envspecs.commands.environments import Answering
from envspecs.layout import models_directory
from envspecs.models import fetch
from envspecs.models import registry as models_registry
from envspecs.models.registry import Listed, Model
from envspecs.report import Report
from envspecs.sizes import human
from envspecs.spec import EnvSpec, read_all
from protocol.errors import ExitCode, UsageError
from protocol.languages import find_language, find_tag, language_name
from protocol.stages import STAGES, WORKFLOWS, required_stages, translate

__all__ = ["WantedWorkflow", "fetch_models", "list_models", "path_of_model", "verify_models"]

_TRANSLATE = translate.STAGE.name
_WIDTH = 100


@dataclass(frozen=True, kw_only=True)
class WantedWorkflow:
    """A workflow that a person has in mind, with the languages of its films."""

    workflow: str
    source: str | None = None
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Need:
    """A model that something needs, and whether the store has it."""

    model: str
    what: str
    here: bool


def list_models(report: Answering, wanted: WantedWorkflow | None = None, *, as_json: bool) -> ExitCode:
    """Show the registry, what of it is in the store, and what environments (or a workflow) still need."""
    found = models_registry.list_models()
    needs = _needs_of_workflow(wanted) if wanted else _needs_of_environments(read_all())
    missing = [need for need in needs if not need.here]
    if as_json:
        _answer_json(report, found, needs)
    else:
        _answer_lines(report, found)
        _answer_needs(report, wanted, needs)
    return ExitCode.MISSING if wanted and missing else ExitCode.DONE


def _answer_json(report: Answering, found: Iterable[Listed], needs: Iterable[Need]) -> None:
    entries = [
        {
            "id": entry.model.id,
            "kind": entry.model.kind,
            "licence": entry.model.licence,
            "forbids_commerce": entry.model.forbids_commerce,
            "in_store": entry.in_store,
            "source": entry.source,
            "sources": [str(source) for source in entry.model.sources],
            "gated": _is_gated(entry.model),
            "bytes": entry.size,
            "description": entry.model.description,
        }
        for entry in found
    ]
    needed = [{"model": need.model, "for": need.what, "in_store": need.here} for need in needs]
    document = {"version": 1, "store": str(models_directory()), "models": entries, "needs": needed}
    report.answer(json.dumps(document, indent=1))


def _answer_lines(report: Answering, found: Sequence[Listed]) -> None:
    rows = [("model", "kind", "size", "licence", "in the store")]
    rows += [
        (entry.model.id, entry.model.kind, human(entry.size), entry.model.licence, _standing(entry))
        for entry in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        report.answer("  ".join(cell.ljust(width) for cell, width in cells).rstrip())
    closed = [entry.model.id for entry in found if entry.model.forbids_commerce]
    if closed:
        report.answer("")
        report.answer(fill(f"not for commercial use: {', '.join(closed)}", _WIDTH, break_on_hyphens=False))


def _standing(listed: Listed) -> str:
    if listed.in_store:
        return f"here ({_place(listed.source.partition(' ')[0])})"
    places = [_place(source.kind) for source in listed.model.sources if source.kind != "folder"]
    return f"not here: {', '.join(places) or 'folder'}{', gated' if _is_gated(listed.model) else ''}"


def _place(kind: str) -> str:
    return "hub" if kind == "huggingface" else kind


def _is_gated(model: Model) -> bool:
    return any(source.gated for source in model.sources)


def _answer_needs(report: Answering, wanted: WantedWorkflow | None, needs: Sequence[Need]) -> None:
    missing = [need for need in needs if not need.here]
    report.answer("")
    if wanted:
        for need in needs:
            report.answer(f"{need.what}: {need.model}{'' if need.here else ' is missing'}")
    if not missing:
        report.answer("Nothing is missing." if needs or not wanted else "It needs no model.")
    for need in missing:
        what = "" if wanted else f"   for {need.what}"
        report.answer(f"missing: python3 -m envspecs models fetch {need.model}{what}")


def _needs_of_environments(specs: Iterable[EnvSpec]) -> list[Need]:
    """Return the models that the built environments load when they start."""
    return [
        Need(model=model, what=spec.name, here=models_registry.has_model(model))
        for spec in specs
        if spec.models and is_built(spec)
        for model in spec.models
    ]


def _needs_of_workflow(wanted: WantedWorkflow) -> list[Need]:
    """Return the models that a job of this workflow would use by default, stage by stage."""
    workflow = WORKFLOWS[wanted.workflow]
    if wanted.targets and not workflow.translates:
        message = f"The workflow {wanted.workflow} makes no translation."
        raise UsageError(message, "Leave out -t.")
    needs: dict[str, Need] = {}
    for stage in required_stages(wanted.workflow):
        if stage == _TRANSLATE or not STAGES[stage].takes("model"):
            continue
        spec = choosing.environment_for(stage)
        if spec.default_model:
            here = models_registry.has_model(spec.default_model)
            needs.setdefault(
                spec.default_model, Need(model=spec.default_model, what=f"{stage} in {spec.name}", here=here)
            )
    source = find_language(wanted.source).code if wanted.source else None
    for word in wanted.targets or workflow.default_targets:
        target = find_tag(word).language
        if target != source:
            need = _need_of_pair(source, target)
            needs.setdefault(need.model, need)
    return list(needs.values())


def _need_of_pair(source: str | None, target: str) -> Need:
    """Return the model that would translate: of the first environment that has one for the pair."""
    registry = models_registry.read_registry().values()
    pair = f"{language_name(source) if source else 'the film'} into {language_name(target)}"
    found = [
        (spec, model)
        for spec in choosing.environments_for(_TRANSLATE)
        for model in sorted(registry, key=lambda candidate: candidate.id != spec.default_model)
        if model.kind in spec.model_kinds and model.has_pair(source, target)
    ]
    if not found:
        message = f"No model of the registry translates {pair}."
        raise UsageError(message, "python3 -m envspecs models list")
    here = [(spec, model) for spec, model in found if is_built(spec) and models_registry.has_model(model.id)]
    spec, model = (here or found)[0]
    return Need(model=model.id, what=f"{pair} in {spec.name}", here=bool(here))


def fetch_models(names: Sequence[str], report: Report, *, again: bool) -> ExitCode:
    """Put the models into the store."""
    for name in names:
        fetch.fetch(name, report, again=again)
    return ExitCode.DONE


def verify_models(names: Sequence[str], report: Answering) -> ExitCode:
    """Hash models and compare with their manifests."""
    for name in names or [model.model.id for model in models_registry.list_models() if model.in_store]:
        models_registry.verify(name)
        report.answer(f"{name}: every file is as it was fetched.")
    return ExitCode.DONE


def path_of_model(name: str, report: Answering) -> ExitCode:
    """Show the model's folder."""
    report.answer(str(models_registry.model_path(name)))
    return ExitCode.DONE
