"""Which way a pair of languages goes, and whether a model goes that way. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from protocol.errors import InputError, UsageError
from protocol.languages import language_name
from protocol.stages.translate import TranslateRequest
from workers.text.flores import ENGLISH, indictrans2_tag

__all__ = ["DIRECTIONS", "Pair", "model_direction", "pair_of", "refuse_other_way"]

DIRECTIONS = ("indic-indic", "en-indic", "indic-en")
"""IndicTrans2 is three models: each goes one way."""

_HALVES = ("encoder", "decoder")
_ENGLISH_SHARE = 0.5
"""English has 32,000 pieces in the models' vocabularies, the languages of India together 122,000."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two languages as IndicTrans2 names them (`hin_Deva`), and the way between them."""

    source: str
    target: str
    direction: str


def pair_of(request: TranslateRequest) -> Pair:
    """Return the request's languages; `InputError`, `UsageError` for what IndicTrans2 does not have."""
    source, target = request.source_language, request.target_language
    tags = indictrans2_tag(source, request.source_script), indictrans2_tag(target, request.target_script)
    if tags[0] == tags[1]:
        message = f"The film is in {language_name(source)}: there is nothing to translate."
        raise InputError(message)
    sides = ("en" if language == ENGLISH else "indic" for language in (source, target))
    return Pair(source=tags[0], target=tags[1], direction="-".join(sides))


def model_direction(identity: str, config: Mapping[str, Any]) -> str | None:
    """Return which way a model goes: by its id, else by the sizes of its two vocabularies.

    None where neither says. `config` is the model's `config.json`.
    """
    for direction in DIRECTIONS:
        if f"-{direction}-" in f"-{identity}-":
            return direction
    found = (config.get(f"{half}_vocab_size") for half in _HALVES)
    sizes = [size for size in found if isinstance(size, int) and size > 0]
    if len(sizes) != len(_HALVES):
        return None
    sides = ["en" if siz < max(sizes) * _ENGLISH_SHARE else "indic" for siz in sizes]
    return "-".join(sides)


def refuse_other_way(identity: str, direction: str | None, pair: Pair) -> None:
    """Raise `UsageError` where the model goes another way than the pair; one that says none is believed."""
    if direction not in (None, pair.direction):
        message = f"The model {identity} translates {direction}, not {pair.direction}."
        raise UsageError(message, f"Name another, such as indictrans2-{pair.direction}-1b, or none.")
