"""What is here: which environment serves a stage, what is built, which models are in the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import envspecs
from coordinator.recipes import OPTIONAL_STAGES
from coordinator.routing import Translator
from envspecs import models
from protocol.errors import MissingError, UsageError
from protocol.stages import STAGES

__all__ = ["Inventory", "check_built", "default_model", "fitting_model"]

_TRANSLATE = "translate"


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """One look at the specs, the builds and the model store."""

    specs: dict[str, envspecs.EnvSpec]
    registry: dict[str, models.Model]

    @classmethod
    def look(cls) -> Inventory:
        """Read what is here now."""
        return cls(specs={each.name: each for each in envspecs.read_all()}, registry=models.read_registry())

    def serving(self, stage: str, named: Mapping[str, str]) -> envspecs.EnvSpec:
        """Return the environment for the stage: the one a person named, else the first that does it.

        Raises `UsageError` for a name that is none, or that does not do the stage, or not on this machine.
        """
        name = named.get(stage)
        if name is None:
            return self.specs[envspecs.environment_for(stage).name]
        if name not in self.specs:
            message = f"There is no environment {name!r}; there are {', '.join(self.specs)}."
            raise UsageError(message, "cpw envs list")
        spec = self.specs[name]
        if stage not in spec.stages:
            does = ", ".join(spec.stages) or "no stage"
            message = f"The environment {name} does not do {stage}; it does {does}."
            raise UsageError(message, "cpw envs list")
        if not spec.usable_here():
            message = f"The environment {name} is not for this machine."
            raise UsageError(message, "cpw envs list")
        return spec

    def at_hand(self, named: Mapping[str, str]) -> frozenset[str]:
        """Return the optional stages whose environment is built and has its model."""
        found = set()
        for stage in OPTIONAL_STAGES:
            candidates = envspecs.environments_for(stage)
            spec = self.serving(stage, named) if stage in named or candidates else None
            if spec is not None and envspecs.is_built(spec):
                model = default_model(stage, spec)
                if not model or models.has_model(model):
                    found.add(stage)
        return frozenset(found)

    def translators(
        self, named: Mapping[str, str], wished: str | None, recogniser: str | None
    ) -> tuple[Translator, ...]:
        """Return who could translate.

        `wished` is the model that a person chose for translate; `recogniser` the one for asr, which Whisper
        translates with, too: a second one in the same memory only where it is wished for.
        """
        if _TRANSLATE in named:
            specs = [self.serving(_TRANSLATE, named)]
        else:
            specs = list(envspecs.environments_for(_TRANSLATE))
        if wished is not None:
            wished = self.known(wished, "whisper-")
        found = tuple(self._translator(each, wished, recogniser) for each in specs)
        if wished is not None and not any(each.models for each in found):
            names = ", ".join(each.name for each in specs)
            message = f"The model {wished} is none that {names} could translate with."
            raise UsageError(message, "cpw models list")
        return found

    def _translator(self, spec: envspecs.EnvSpec, wished: str | None, recogniser: str | None) -> Translator:
        fitting = [each for each in self.registry.values() if each.kind in spec.model_kinds]
        chosen = wished
        if wished is None and "asr" in spec.stages:
            chosen = fitting_model(recogniser or spec.default_model, spec, self.registry)
        if chosen is not None:
            fitting = [each for each in fitting if each.id == chosen]
            if chosen not in self.registry and "asr" in spec.stages:
                fitting = [_unregistered(chosen)]
        fitting.sort(key=lambda each: each.id != spec.default_model)
        return Translator(
            environment=spec.name,
            rank=spec.stages[_TRANSLATE].rank,
            built=envspecs.is_built(spec),
            models=tuple(fitting),
            stored=frozenset(each.id for each in fitting if models.has_model(each.id)),
        )

    def known(self, model: str, prefix: str = "") -> str:
        """Return the id, or the id with `prefix`, that there is a model of; `UsageError` for none."""
        for each in (model, prefix + model):
            if each in self.registry or models.has_model(each):
                return each
        message = f"There is no model {model!r}; there are {', '.join(self.registry)}."
        raise UsageError(message, "cpw models list")


def _unregistered(identity: str) -> models.Model:
    """Return a Whisper model that a person has put into the store himself: it is taken to translate."""
    return models.Model(
        id=identity,
        kind="whisper-ct2",
        licence="",
        description="",
        size_bytes=0,
        sources=(),
        needs=(),
        translates_to=("en",),
    )


def default_model(stage: str, spec: envspecs.EnvSpec) -> str:
    """Return the model that the environment does the stage with where nobody chose one; empty for none."""
    fields = {each.name: each.default for each in dataclasses.fields(STAGES[stage].request)}
    return spec.default_model or str(fields["model"]) if "model" in fields else ""


def fitting_model(wished: str, spec: envspecs.EnvSpec, registry: Mapping[str, models.Model]) -> str:
    """Return the model that stands for the wished one in this environment: the same weights, its format.

    What the registry does not know is left as it is: a folder that a person has put into the store.
    """
    model = registry.get(wished)
    if model is None or not spec.model_kinds or model.kind in spec.model_kinds:
        return wished
    same = (each.id for each in registry.values() if each.family and each.family == model.family)
    kinds = {each: registry[each].kind for each in same}
    found = next((each for each, kind in kinds.items() if kind in spec.model_kinds), None)
    if found is None:
        message = f"The environment {spec.name} cannot load the model {wished} ({model.kind})."
        raise UsageError(message, "cpw models list")
    return found


def check_built(spec: envspecs.EnvSpec) -> None:
    """Raise `MissingError` unless the environment can be used as its spec says."""
    if not envspecs.is_built(spec):
        state = "out of date" if envspecs.build_state(spec) == "outdated" else "not built"
        message = f"The environment {spec.name} ({spec.purpose}) is {state}."
        raise MissingError(message, f"cpw envs build {spec.name}")
