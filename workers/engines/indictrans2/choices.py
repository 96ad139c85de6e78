"""The direction of a pair of languages, and whether a model translates in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import UsageError
from protocol.stages.translate import TranslateRequest
from workers.text.flores import ENGLISH, indictrans2_tag, tags_of

__all__ = ["DIRECTIONS", "Pair", "model_direction", "pair_of", "refuse_other_direction"]

DIRECTIONS = ("indic-indic", "en-indic", "indic-en")
"""IndicTrans2 is three models, and each translates in one direction."""

_HALVES = ("encoder", "decoder")
_ENGLISH_SHARE = 0.5
"""In the models' vocabularies English has 32,000 pieces, the languages of India together have 122,000."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two languages as IndicTrans2 names them (`hin_Deva`), and the direction between them."""

    source: str
    target: str
    direction: str


def pair_of(request: TranslateRequest) -> Pair:
    """Return the request's languages; `InputError`, `UsageError` for what IndicTrans2 does not have."""
    source, target = tags_of(request, indictrans2_tag)
    languages = (request.source_language, request.target_language)
    sides = ("en" if language == ENGLISH else "indic" for language in languages)
    return Pair(source=source, target=target, direction="-".join(sides))


def model_direction(identity: str, config: Mapping[str, Any]) -> str | None:
    """Return the direction of a model: by its id, else by the sizes of its two vocabularies.

    None where neither tells. `config` is the model's `config.json`.
    """
    for direction in DIRECTIONS:
        if f"-{direction}-" in f"-{identity}-":
            return direction
    found = (config.get(f"{half}_vocab_size") for half in _HALVES)
    sizes = [size for size in found if isinstance(size, int) and size > 0]
    if len(sizes) != len(_HALVES):
        return None
    sides = ["en" if size < max(sizes) * _ENGLISH_SHARE else "indic" for size in sizes]
    return "-".join(sides)


def refuse_other_direction(identity: str, direction: str | None, pair: Pair) -> None:
    """Raise `UsageError` where the pair has another direction than the model; None is taken for the same."""
    if direction not in (None, pair.direction):
        message = f"The model {identity} translates {direction}, not {pair.direction}."
        raise UsageError(message, f"Name another, such as indictrans2-{pair.direction}-1b, or none.")
