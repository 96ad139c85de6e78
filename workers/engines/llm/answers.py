"""Reads what a language model answered, and says what is wrong with it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocol.subtitles.doubts import EMPTY, LENGTH, LOOP, NUMBERS, UNTRANSLATED, WRONG_SCRIPT
from workers.engines.llm.failing import BadAnswerError, CutShortError

__all__ = ["FAILURES", "Answer", "read_answer"]

FAILURES = frozenset({EMPTY, LENGTH, LOOP, NUMBERS, UNTRANSLATED, WRONG_SCRIPT})
"""With one of these marks a line is no translation that a person should read. With others it is doubtful."""
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL)
_FINE_ENDS = frozenset({"stop", "", "eos"})
"""Some servers say nothing of how an answer ended."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the endpoint sent."""

    text: str
    end: str = ""
    """`finish_reason`: `stop`, `length`, `content_filter` ..."""
    refusal: str = ""
    tokens_in: int = 0
    tokens_out: int = 0


def read_answer(answer: Answer, count: int) -> list[str]:
    """Return the translations of `count` lines, in order; some may be empty.

    Raises `BadAnswerError` where it is not sure which text is whose: then none of them is used.
    """
    if answer.end == "length":
        # Before anything is parsed: what is cut may still be read as JSON, by chance.
        raise CutShortError("it was cut at the cap on its length")
    if answer.refusal or answer.end not in _FINE_ENDS:
        raise BadAnswerError(f"the model refused ({answer.end or 'refusal'})")
    found = _object_in(answer.text)
    numbers = [str(place) for place in range(1, count + 1)]
    if set(found) != set(numbers):
        found = _inner(found)
    if lacking := [number for number in numbers if number not in found]:
        raise BadAnswerError(f"it lacks the lines {', '.join(lacking)}")
    if extra := found.keys() - set(numbers):
        raise BadAnswerError(f"it has {len(extra)} more keys than lines")
    texts = [found[number] for number in numbers]
    return [text if isinstance(text, str) else "" for text in texts]


def _object_in(text: str) -> dict[str, object]:
    """Return the JSON object in the text: models without a schema put thoughts and fences around it."""
    text = _THOUGHT.sub("", text)
    begin, end = text.find("{"), text.rfind("}")
    try:
        found = json.loads(text[begin : end + 1], object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise BadAnswerError("it is not JSON") from error
    if not isinstance(found, dict):
        raise BadAnswerError("it is no JSON object")
    return found


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadAnswerError("it has a line twice")
    return found


def _inner(found: Mapping[str, object]) -> dict[str, object]:
    """Return the one object in it, as in `{"lines": {...}}`; else what it was."""
    inner = [value for value in found.values() if isinstance(value, dict)]
    return inner[0] if len(found) == len(inner) == 1 else dict(found)
