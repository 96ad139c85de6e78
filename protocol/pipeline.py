"""What a stage says of itself, and what a workflow is made of; `protocol/stages` lists both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

__all__ = ["SOURCE", "Ingredient", "Per", "Stage", "Workflow"]

Per = Literal["film", "source", "target"]

SOURCE = "source"
"""Stands for the film's own language in the name of a step: `subtitle-source`."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage's row: its contract, and all that the rest of the program must know of it.

    What the request and the result say themselves is derived from them: `takes`, `default_model`,
    `leaves_transcript`.
    """

    name: str
    folder: str
    """Folder in the job folder, numbered in the order of the pipeline."""
    version: int
    """Of the schema: a worker with another one is rejected."""
    request: type
    """A dataclass. A person can set its fields that have a default; a field `batch_size` is made 1 where
    memory ran out."""
    result: type
    """A dataclass. A field `transcript` is a `Transcript` with words in a file `transcript.json`, or
    `transcript.<language>.json` in a step for one language: the stages that follow read it."""
    budget_ms: int
    """A call's budget of time is `budget_ms + budget_per_media * length of the sound`."""
    budget_per_media: float
    weight: float
    """Its share of a job's progress bar: time it takes on a CPU, where asr takes 50."""
    cores: int = 0
    """A call keeps at most so many cores busy; 0: as many as it is given."""
    optional: Literal["", "when-built", "when-asked"] = ""
    """Part of a job always, where its environment is built, or where a person asks for it."""
    shown: bool = False
    """Its files are what the person wanted: they are named when the job is done."""
    finds_language: bool = False
    """Its result says the film's language: `language` and `language_probability`."""
    by_languages: bool = False
    """The pair of languages decides which environment does it, and with which model."""
    model_prefix: str = ""
    """A model's id starts with it: a person may leave it out."""
    model_of: str = ""
    """The stage whose model it takes, where a person chose one for that and none for this."""
    no_model_with: Mapping[str, str] = field(default_factory=dict)
    """Field to value: with it the stage needs nothing of the model store."""
    options: Mapping[str, str] = field(default_factory=dict)
    """Field to the option of the command line that sets it, instead of `--set`."""
    filled: frozenset[str] = frozenset()
    """Fields with a default that the stages before fill: a person cannot set them."""

    def takes(self, name: str) -> bool:
        """Return whether the request has such a field: `model`, `device`, `batch_size`."""
        return any(parameter.name == name for parameter in fields(self.request))

    @property
    def default_model(self) -> str:
        """Return the model of a request in which nobody chose one; empty for a stage without models."""
        found = {parameter.name: parameter.default for parameter in fields(self.request)}
        chosen = found.get("model", MISSING)
        return "" if chosen is MISSING else str(chosen)

    @property
    def leaves_transcript(self) -> bool:
        """Return whether its result holds a transcript with words."""
        return any(parameter.name == "transcript" for parameter in fields(self.result))

    def needs_model(self, settings: Mapping[str, Any]) -> bool:
        """Return whether a call with these settings of a person needs a model of the store."""
        packaged = any(settings.get(name) == value for name, value in self.no_model_with.items())
        return self.takes("model") and not packaged


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    """One stage of a workflow; `per` says whether there is one step, or one for each target language."""

    stage: str
    per: Per
    needs: tuple[str, ...] = ()
    """Stages of the same language (or of the film) that must be done, where they are part of the job."""
    after: tuple[str, ...] = ()
    """Stages all of whose steps must have ended: a failed target does not lose the others."""


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """What a person can ask for: a recipe, in an order in which each stage comes after all that it needs."""

    name: str
    recipe: tuple[Ingredient, ...]
    default_targets: tuple[str, ...] = ()
    """Languages to translate into where a person names none."""

    def has(self, stage: str, per: Per | None = None) -> bool:
        """Return whether the stage is in the recipe: at all, or once per film, source or target."""
        return any(part.stage == stage and per in (None, part.per) for part in self.recipe)

    @property
    def translates(self) -> bool:
        """Return whether something is made for each target language."""
        return any(part.per == "target" for part in self.recipe)

    @property
    def keeps_source(self) -> bool:
        """Return whether something is made in the film's own language, too."""
        return any(part.per == "source" for part in self.recipe)
