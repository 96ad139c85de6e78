"""What this machine and its nodes have: environments for each stage, builds, stored models."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import envspecs
from coordinator.planning.translators import Translator
from envspecs import hardware
from envspecs.builds.installed import MARKER
from envspecs.choosing import candidates
from envspecs.cluster.elsewhere import Elsewhere, elsewhere_file, read_elsewhere
from envspecs.layout import specs_directory
from envspecs.models import registry as models_registry
from envspecs.setup import defaults
from envspecs.setup.choice import Chosen
from envspecs.setup.needs import same_weights
from envspecs.setup.pins import pins_file
from protocol.errors import MissingError, UsageError
from protocol.hardware import Hardware
from protocol.languages import every_language
from protocol.stages import OPTIONAL_STAGES, STAGES, asr, translate

__all__ = ["Inventory", "fitting_model"]

_TRANSLATE = translate.STAGE.name
_ASR = asr.STAGE.name


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The specs, the builds and the model store at one moment; each answer is looked up once and kept."""

    specs: dict[str, envspecs.EnvSpec]
    registry: dict[str, models_registry.Model]
    hardware: Hardware
    chosen: Chosen | None = None
    """The models for this machine; None where none are chosen for it."""
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    """What nodes have."""
    _built: dict[str, bool] = field(default_factory=dict)
    _stored: dict[str, bool] = field(default_factory=dict)
    _stored_here: dict[str, bool] = field(default_factory=dict)
    _versions: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def look(cls) -> Inventory:
        """Return what is here now; files are read again only if one has changed since the last time."""
        return _read(_signature(), strict=True)

    @classmethod
    def look_on(cls) -> Inventory:
        """Return the same for a job that is under way: a wrong `setup.toml` refuses what is new, and ends no
        work. Nothing is chosen then."""
        return _read(_signature(), strict=False)

    def is_built(self, spec: envspecs.EnvSpec) -> bool:
        """Return whether the environment can be used as its spec says."""
        if spec.name not in self._built:
            self._built[spec.name] = spec.name in self.elsewhere.built or envspecs.is_built(spec)
        return self._built[spec.name]

    def has_model(self, identity: str) -> bool:
        """Return whether the whole model is in the store here, or in a node's."""
        if identity not in self._stored:
            elsewhere = identity in self.elsewhere.models
            self._stored[identity] = elsewhere or self.is_stored_here(identity)
        return self._stored[identity]

    def is_stored_here(self, identity: str) -> bool:
        """Return whether the whole model is in the store of this machine."""
        if identity not in self._stored_here:
            self._stored_here[identity] = models_registry.has_model(identity)
        return self._stored_here[identity]

    def default_model(self, stage: str, spec: envspecs.EnvSpec) -> str:
        """Return the model for the stage if nobody chooses one; empty where it needs none."""
        if not STAGES[stage].takes("model") or spec.service is not None:
            return ""
        own = spec.stages[stage].models if stage in spec.stages else ()
        if own:
            return next((model for model in own if self.has_model(model)), own[-1])
        return self._default_of(spec) or STAGES[stage].default_model

    def _default_of(self, spec: envspecs.EnvSpec) -> str:
        return defaults.default_model(spec, self.chosen, self.registry, self.has_model)

    def versions(self, name: str) -> dict[str, str]:
        """Return the versions of the environment's packages as its build recorded them."""
        if name not in self._versions:
            marker = envspecs.read_marker(envspecs.venv_path(name))
            self._versions[name] = dict(marker.versions) if marker else {}
        return self._versions[name]

    def check_built(self, spec: envspecs.EnvSpec) -> None:
        """Raise `MissingError` unless the environment can be used as its spec says."""
        if not self.is_built(spec):
            state = "out of date" if envspecs.build_state(spec) == "outdated" else "not built"
            message = f"The environment {spec.name} ({spec.purpose}) is {state}."
            raise MissingError(message, f"cpw envs build {spec.name}")

    def serving(self, stage: str, named: Mapping[str, str], model: str | None = None) -> envspecs.EnvSpec:
        """Return the environment for the stage: the one that a person named, else the first that does it.

        One that is built goes before one that is not, and of those one whose model is in the store. `model`
        is what a person chose: then those count that can load it. Raises `UsageError` for an unknown name,
        for an environment that does not do the stage, and for one that does not run on this machine.
        """
        name = named.get(stage)
        if name is None:
            found = self._able(stage, model)
            if not found:
                message = f"No environment does the stage {stage!r} on this machine."
                raise UsageError(message, "cpw envs list")
            built = [spec for spec in found if self.is_built(spec)]
            whole = [spec for spec in built if self._is_whole(stage, spec, model)]
            return (whole or built or list(found))[0]
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

    def first_built(self, stage: str, model: str | None) -> envspecs.EnvSpec | None:
        """Return the first environment that is built and does the stage, whether its model is here or not."""
        return next((spec for spec in self._able(stage, model) if self.is_built(spec)), None)

    def _able(self, stage: str, model: str | None) -> tuple[envspecs.EnvSpec, ...]:
        """Return the environments that do the stage; those that can load `model`, where there are some."""
        found = candidates(stage, self.specs.values())
        known = self.registry.get(model or "")
        if known is None:
            return found
        able = (
            spec
            for spec in found
            if not spec.model_kinds or same_weights(known.id, spec, self.registry) is not None
        )
        return tuple(able) or found

    def _is_whole(self, stage: str, spec: envspecs.EnvSpec, model: str | None) -> bool:
        """Return whether the environment has the model that it would use."""
        if not model:
            wanted = self.default_model(stage, spec)
            return not wanted or self.has_model(wanted)
        return self.has_model(fitting_model(model, spec, self.registry))

    def at_hand(self, named: Mapping[str, str]) -> frozenset[str]:
        """Return the optional stages whose environment is built and has its model."""
        found = set()
        for stage in OPTIONAL_STAGES:
            if stage not in named and not candidates(stage, self.specs.values()):
                continue
            spec = self.serving(stage, named)
            model = self.default_model(stage, spec)
            if self.is_built(spec) and (not model or self.has_model(model)):
                found.add(stage)
        return frozenset(found)

    def translators(
        self, named: Mapping[str, str], asked: str | None, recogniser: str | None
    ) -> tuple[Translator, ...]:
        """Return the environments that could translate, with their models.

        `asked` is the model that a person chose for translate, `recogniser` the one for asr. Whisper uses the
        recogniser's model, to have one model in memory, unless a person asks for another.
        """
        if _TRANSLATE in named:
            specs = [self.serving(_TRANSLATE, named)]
        else:
            specs = list(candidates(_TRANSLATE, self.specs.values()))
        if asked is not None and any(spec.service is None for spec in specs):
            asked = self.translator_model(asked)
        found = tuple(self._translator(spec, asked, recogniser) for spec in specs)
        if asked is not None and not any(translator.models for translator in found):
            names = ", ".join(spec.name for spec in specs)
            message = f"The model {asked} cannot translate in {names}."
            raise UsageError(message, "cpw models list")
        return found

    def _translator(self, spec: envspecs.EnvSpec, asked: str | None, recogniser: str | None) -> Translator:
        if spec.service is not None:
            return self._by_service(spec, spec.service, asked)
        fitting = [model for model in self.registry.values() if model.kind in spec.model_kinds]
        chosen = asked
        if asked is None and _ASR in spec.stages:
            chosen = self._whisper_into_english(recogniser, spec)
        if chosen is not None:
            fitting = [model for model in fitting if model.id == chosen]
            if chosen not in self.registry and _ASR in spec.stages:
                fitting = [_unregistered(chosen)]
        default = self._default_of(spec)
        fitting.sort(key=lambda model: model.id != default)
        return Translator(
            environment=spec.name,
            rank=spec.stages[_TRANSLATE].rank,
            built=self.is_built(spec),
            models=tuple(fitting),
            stored=frozenset(model.id for model in fitting if self.has_model(model.id)),
        )

    def _by_service(self, spec: envspecs.EnvSpec, service: envspecs.Service, asked: str | None) -> Translator:
        """Return a translator that asks a service, unless a model of the store is asked for."""
        own = asked is None or asked not in self.registry
        model = asked or os.environ.get(service.model, "") or translate.MODEL_OF_SERVICE
        return Translator(
            environment=spec.name,
            rank=spec.stages[_TRANSLATE].rank,
            built=self.is_built(spec),
            models=(_any_pair(model),) if own else (),
            stored=frozenset((model,)),
            asks="" if os.environ.get(service.address) else service.address,
        )

    def _whisper_into_english(self, recogniser: str | None, spec: envspecs.EnvSpec) -> str:
        """Return the model that translates speech: the recogniser's, to have one in memory.

        Where that one does not translate (turbo), it is the one that was chosen for it, once it is here.
        """
        model = fitting_model(recogniser or self._default_of(spec), spec, self.registry)
        known = self.registry.get(model)
        if known is None or known.translates_to or self.chosen is None:
            return model
        other = same_weights(self.chosen.into_english, spec, self.registry)
        return other.id if other is not None and self.has_model(other.id) else model

    def translator_model(self, model: str) -> str:
        """Return the id of the model that is meant for translating; `UsageError` where there is none.

        A recogniser's model translates, too: its id may be short, as it may be for the recogniser.
        """
        for model_id in (model, asr.STAGE.model_prefix + model):
            if model_id in self.registry or self.has_model(model_id):
                return model_id
        message = f"There is no model {model!r}; there are {', '.join(self.registry)}."
        raise UsageError(message, "cpw models list")


def _any_pair(identity: str) -> models_registry.Model:
    """Return a model of a service: nobody knows what it can, so it is asked for any pair."""
    return _unlisted(identity, "service", tuple(language.code for language in every_language()))


def _unregistered(identity: str) -> models_registry.Model:
    """Return a Whisper model that a person has put into the store: it is assumed to translate."""
    return _unlisted(identity, "whisper-ct2", ("en",))


def _unlisted(identity: str, kind: str, translates_to: tuple[str, ...]) -> models_registry.Model:
    """Return a model that the registry does not have."""
    return models_registry.Model(
        id=identity,
        kind=kind,
        licence="",
        description="",
        size_bytes=0,
        sources=(),
        needs=(),
        translates_to=translates_to,
    )


def fitting_model(asked: str, spec: envspecs.EnvSpec, registry: Mapping[str, models_registry.Model]) -> str:
    """Return the model with the same weights as `asked` in the format of this environment.

    A model that the registry does not know stays as it is: a person has put its folder into the store.
    Raises `UsageError` where the environment cannot load the model.
    """
    model = registry.get(asked)
    if model is None or not spec.model_kinds:
        return asked
    found = same_weights(asked, spec, registry)
    if found is None:
        message = f"The environment {spec.name} cannot load the model {asked} ({model.kind})."
        raise UsageError(message, "cpw models list")
    return found.id


def _signature() -> tuple[tuple[str, int], ...]:
    """Return a value that changes with every spec, lock, build, model and the cache of the hardware."""
    specs, store = specs_directory(), envspecs.models_directory()
    files = [*specs.glob("*.toml"), *(specs / "locks").glob("*.txt"), *store.glob("*/manifest.json")]
    # A folder changes when a file in it is removed.
    files += [manifest.parent for manifest in store.glob("*/manifest.json")]
    files += [envspecs.venv_path(path.stem) / MARKER for path in specs.glob("*.toml")]
    files += [envspecs.state_directory() / hardware.CACHE, pins_file(), elsewhere_file()]
    return tuple(sorted((str(file), file.stat().st_mtime_ns) for file in files if file.exists()))


@functools.lru_cache(maxsize=2)
def _read(_signature: tuple[tuple[str, int], ...], *, strict: bool) -> Inventory:
    registry, machine = models_registry.read_registry(), hardware.known()
    try:
        chosen = defaults.chosen_here(machine, registry)
    except UsageError:
        if strict:
            raise
        chosen = None
    return Inventory(
        specs={spec.name: spec for spec in envspecs.read_all()},
        registry=registry,
        hardware=machine,
        chosen=chosen,
        elsewhere=read_elsewhere(),
    )
