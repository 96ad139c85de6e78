"""Which environment and model translate a pair of languages. Pure: what this machine has is an argument.

The specs of the environments rank them (indictrans2, nllb, bergamot, Whisper's speech to English). The model
registry says which pairs a model has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from envspecs.models.registry import Model
from protocol.errors import MissingError
from protocol.languages import language_name

__all__ = ["Route", "Translator", "find_route"]

_MOST_REMEDIES = 2


@dataclass(frozen=True, kw_only=True)
class Translator:
    """An environment that translates, and what it can translate with."""

    environment: str
    rank: int
    built: bool
    models: tuple[Model, ...]
    """The models that it can load, best first."""
    stored: frozenset[str] = frozenset()
    """Ids of its models that are in the model store."""
    asks: str = ""
    """The environment variable by which a person has still to name the service that it asks; empty where that
    is done, or where it asks none."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """The environment and the model that translate, and why."""

    environment: str
    model: str
    reason: str


def find_route(source: str | None, target: str, translators: Sequence[Translator]) -> Route:
    """Return the first translator by rank that is built and has a stored model for the pair.

    `source` is None while the film's language is not known: then any language into `target` will do, and
    the route is looked for again later. Raises `MissingError` with the commands that would help.
    """
    pair = f"{language_name(source) if source else 'the film'} into {language_name(target)}"
    passed_over: list[tuple[str, str]] = []
    for translator, model in _candidates(source, target, translators):
        lacks = _lacks(translator, model)
        if not lacks:
            return Route(
                environment=translator.environment,
                model=model.id,
                reason=_reason(pair, translator, model, passed_over),
            )
        if translator.environment not in [name for name, _ in passed_over]:
            passed_over.append((translator.environment, lacks))
    message = f"Nothing here translates {pair}."
    raise MissingError(message, _remedy(source, target, passed_over))


def _candidates(
    source: str | None, target: str, translators: Sequence[Translator]
) -> Iterator[tuple[Translator, Model]]:
    for translator in sorted(translators, key=lambda candidate: (candidate.rank, candidate.environment)):
        fitting = [model for model in translator.models if model.has_pair(source, target)]
        # What is in the store goes before what would have to be fetched.
        for model in sorted(fitting, key=lambda candidate: candidate.id not in translator.stored):
            yield translator, model


def _lacks(translator: Translator, model: Model) -> str:
    """Return the command that installs what is missing, empty where nothing is missing."""
    commands = [] if translator.built else [f"cpw envs build {translator.environment}"]
    if translator.asks:
        return " && ".join((*commands, f"export {translator.asks}=ADDRESS && cpw down && cpw up"))
    if model.id not in translator.stored:
        commands.append(f"cpw models fetch {model.id}")
    return " && ".join(commands)


def _reason(pair: str, translator: Translator, model: Model, passed_over: Sequence[tuple[str, str]]) -> str:
    text = f"{pair}: {translator.environment} with {model.id}"
    if not passed_over:
        return f"{text}, the first that has the pair."
    before = "; ".join(f"{name} would come first: {command}" for name, command in passed_over)
    return f"{text} ({before})."


def _remedy(source: str | None, target: str, passed_over: Sequence[tuple[str, str]]) -> str:
    if passed_over:
        return " or: ".join(command for _, command in passed_over[:_MOST_REMEDIES])
    known = "en" if target != "en" and source != "en" else ""
    return f"Ask for English: -t {known}" if known else "cpw models list"
