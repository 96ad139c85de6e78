"""What a machine still needs for what was chosen: models, and the environments that load them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from envspecs.choosing import candidates
from envspecs.computing import GIBIBYTE
from envspecs.models.registry import GRADES, Model
from envspecs.setup.choice import Chosen, is_hard
from envspecs.setup.pins import Pins
from envspecs.spec import EnvSpec
from protocol.hardware import Hardware
from protocol.jobs.quality import Grade
from protocol.languages import language_name
from protocol.stages import align, asr, translate

__all__ = ["ChosenModel", "find_needs", "same_weights"]

_ENGLISH = "en"
_LARGE_GPU_BYTES = 7.5 * GIBIBYTE
_SHARE_OF_GPU, _SHARE_OF_RAM = 1 / 3, 1 / 8
"""What the file of a translator may take of the memory: there are other models beside it."""
_OPEN_SHARE_OF_RAM = 1 / 4
"""The same for an open one in place of one that forbids commerce, which is often about as large."""


@dataclass(frozen=True, kw_only=True)
class ChosenModel:
    """A model that was chosen, and what for."""

    model: Model
    environment: str
    what: str
    """`recognises speech`, `translates Hindi into English` ..."""


@dataclass(frozen=True, kw_only=True)
class _Asking:
    chosen: Chosen
    pins: Pins
    hardware: Hardware
    specs: Sequence[EnvSpec]
    registry: Mapping[str, Model]

    def loadable(self, spec: EnvSpec) -> Iterator[Model]:
        """Yield the models that the environment can load and the person may use."""
        for model in self.registry.values():
            if model.kind in spec.model_kinds and not (self.pins.commercial and model.forbids_commerce):
                yield model


def find_needs(
    chosen: Chosen,
    pins: Pins,
    hardware: Hardware,
    specs: Sequence[EnvSpec],
    registry: Mapping[str, Model],
) -> tuple[ChosenModel, ...]:
    """Return the models, each once, in the order in which they are worth fetching."""
    asking = _Asking(chosen=chosen, pins=pins, hardware=hardware, specs=specs, registry=registry)
    found: dict[str, ChosenModel] = {}
    for need in (*_of_speech(asking), *_of_pairs(asking), *_of_words(asking)):
        found.setdefault(need.model.id, need)
    return tuple(found.values())


def _of_speech(asking: _Asking) -> Iterator[ChosenModel]:
    for spec in candidates(asr.STAGE.name, asking.specs):
        model = same_weights(asking.chosen.recogniser, spec, asking.registry)
        if model is not None:
            yield ChosenModel(model=model, environment=spec.name, what="recognises speech")
            break
    for spec in candidates(translate.STAGE.name, asking.specs):
        model = same_weights(asking.chosen.into_english, spec, asking.registry)
        if model is not None and model.translates_to:
            yield ChosenModel(model=model, environment=spec.name, what="translates speech into English")


def _of_pairs(asking: _Asking) -> Iterator[ChosenModel]:
    """Yield a translator of text for each pair that Whisper itself does not translate well enough."""
    languages = dict.fromkeys((*asking.pins.languages, _ENGLISH))
    for source, target in permutations(languages, 2):
        if target == _ENGLISH and _heard_well(asking, source):
            continue
        if offers := list(_offers(asking, source, target)):
            yield _first_open(offers, asking.hardware)


def _offers(asking: _Asking, source: str, target: str) -> Iterator[ChosenModel]:
    """Yield the best model of each environment that translates the pair, in the order of their ranks."""
    for spec in candidates(translate.STAGE.name, asking.specs):
        if asr.STAGE.name in spec.stages:
            continue
        fitting = [model for model in asking.loadable(spec) if model.has_pair(source, target)]
        if fitting:
            what = f"translates {language_name(source)} into {language_name(target)}"
            yield ChosenModel(model=_best(fitting, asking.hardware), environment=spec.name, what=what)


def _first_open(offers: Sequence[ChosenModel], hardware: Hardware) -> ChosenModel:
    """Return the first; where it forbids commerce, the first open one that is as good and not too large."""
    first = offers[0]
    if not first.model.forbids_commerce:
        return first
    return next((offer for offer in offers if _can_replace(offer.model, first.model, hardware)), first)


def _can_replace(model: Model, closed: Model, hardware: Hardware) -> bool:
    as_good = _rank(model.grade(None)) >= _rank(closed.grade(None))
    room = _room(hardware, _OPEN_SHARE_OF_RAM)
    return not model.forbids_commerce and as_good and model.size_bytes <= room


def _heard_well(asking: _Asking, language: str) -> bool:
    model = asking.registry.get(asking.chosen.into_english)
    good = model is not None and _rank(model.grade(language)) >= _rank("good")
    return good and not is_hard(language, asking.registry)


def _best(models: Sequence[Model], hardware: Hardware) -> Model:
    """Return the best that leaves room for others; where none does, the smallest."""
    room = _room(hardware)
    fitting = [model for model in models if model.size_bytes <= room]
    if not fitting:
        return min(models, key=lambda model: model.size_bytes)
    return max(fitting, key=lambda model: (_rank(model.grade(None)), -model.size_bytes))


def _room(hardware: Hardware, share_of_ram: float = _SHARE_OF_RAM) -> float:
    card = hardware.cuda[0].memory_bytes if hardware.cuda else 0
    return card * _SHARE_OF_GPU if card >= _LARGE_GPU_BYTES else hardware.ram_bytes * share_of_ram


def _of_words(asking: _Asking) -> Iterator[ChosenModel]:
    """Yield what finds the times of words in each of the person's languages."""
    for language in asking.pins.languages:
        for spec in candidates(align.STAGE.name, asking.specs):
            for model in asking.loadable(spec):
                # A recogniser has a family.
                if model.languages == (language,) and not model.family:
                    what = f"finds the times of words in {language_name(language)}"
                    yield ChosenModel(model=model, environment=spec.name, what=what)


def same_weights(identity: str, spec: EnvSpec, registry: Mapping[str, Model]) -> Model | None:
    """Return the model, or the one of its family that the environment can load; None where there is none."""
    model = registry.get(identity)
    if model is None:
        return None
    siblings = [
        model,
        *(other for other in registry.values() if other.family and other.family == model.family),
    ]
    return next((other for other in siblings if other.kind in spec.model_kinds), None)


def _rank(grade: Grade | None) -> int:
    return GRADES.index(grade) if grade else 0
