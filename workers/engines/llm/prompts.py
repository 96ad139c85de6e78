"""What a language model is asked: the messages, and the form of the answer. Pure.

What stays the same over a film comes first: a server that keeps the beginning of the last prompt reads only
what is new.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from protocol.jobs.glossary import Term
from protocol.languages import language_name
from protocol.stages.translate import TranslateRequest
from workers.engines.llm.scenes import SceneLine
from workers.text.glossary.finding import composed, has_words

__all__ = ["MOST_HISTORY", "Message", "Pair", "form_of", "occurring", "question", "recent", "system_prompt"]

Message = dict[str, str]
Pair = tuple[str, str]
"""A line, and its translation."""
MOST_HISTORY = 12
_MOST_HISTORY_CHARACTERS = 1_500
_MOST_SYNOPSIS = 1_000
_MOST_STABLE_TERMS = 40
"""With more that occur in the film, each scene gets its own: the beginning of the prompt stays short."""

_RULES = """\
You translate the subtitles of a film from {source} into {target}.
You get a JSON object. "lines" has numbered lines, said one after the other. "earlier" has lines that were \
said before them, each with its translation.
- Translate each line of "lines" under its own number. Never join, split, move, leave out or add lines.
- Read the lines around a line to understand it: who speaks to whom, and of what. Keep names, tone and forms \
of address as they are in "earlier".
- Write {target} as people speak it. Keep numbers, addresses and notes (♪) as they are.
- "room" is how many characters can be read in the time of a line: find shorter words where you need to.
- "speaker" says who speaks. It is not part of the line.
- "terms" says how names and terms are written.
- Translate only: no notes, no explanations, nothing that is not said."""
_FORM = """\
Answer with a JSON object and nothing else. It has one key for each number in "lines", and the value is the \
translation of that line, a text: {{"1": "...", "2": "..."}}"""


def system_prompt(request: TranslateRequest, texts: Sequence[str]) -> str:
    """Return what stays the same over a film, whose sentences are `texts`."""
    names = {
        "source": _named(request.source_language, request.source_script),
        "target": _named(request.target_language, request.target_script),
    }
    parts = [_RULES.format(**names)]
    if request.synopsis.strip():
        parts.append(f"The film: {' '.join(request.synopsis.split())[:_MOST_SYNOPSIS]}")
    terms = occurring(request.glossary, texts, request.source_language, request.target_language)
    if terms and len(terms) <= _MOST_STABLE_TERMS:
        parts.append("Terms:\n" + "\n".join(_row(term) for term in terms))
    parts.append(_FORM.format())
    return "\n\n".join(parts)


def _named(language: str, script: str) -> str:
    """Return the language's name in English, with its script where that is said."""
    return language_name(f"{language}-{script}" if script else language)


def _row(term: Term) -> str:
    note = f" ({term.note})" if term.note else ""
    return f"{term.source} = {term.target or term.source}{note}"


def occurring(glossary: Sequence[Term], texts: Sequence[str], source: str, target: str) -> list[Term]:
    """Return the terms for translations into `target` that one of the texts has, as a word of its own.

    `source` is the language of the texts. Case does not matter: the model sees which word is meant.
    """
    said = composed("\n".join(texts))
    return [
        term
        for term in glossary
        if term.language.partition("-")[0] in ("", target)
        and term.source.strip()
        and has_words(said, composed(term.source), source, 0)
    ]


def question(
    lines: Sequence[SceneLine], history: Sequence[Pair], terms: Sequence[Term], source: str, target: str
) -> str:
    """Return what changes from scene to scene: the lines, and what was said before.

    `terms` are those that occur in the film; they are written here where they are too many for the beginning.
    """
    asked: dict[str, object] = {}
    texts = [line.text for line in lines]
    if len(terms) > _MOST_STABLE_TERMS and (here := occurring(terms, texts, source, target)):
        asked["terms"] = [_row(term) for term in here]
    if history:
        asked["earlier"] = [list(pair) for pair in recent(history)]
    asked["lines"] = {str(place): _shown(line) for place, line in enumerate(lines, start=1)}
    return json.dumps(asked, ensure_ascii=False)


def _shown(line: SceneLine) -> object:
    extra = {name: value for name, value in (("speaker", line.speaker), ("room", line.room)) if value}
    return {"text": line.text, **extra} if extra else line.text


def recent(history: Sequence[Pair]) -> list[Pair]:
    """Return the last pairs, as many as a prompt has room for."""
    found: list[Pair] = []
    room = _MOST_HISTORY_CHARACTERS
    for pair in reversed(history[-MOST_HISTORY:]):
        room -= len(pair[0]) + len(pair[1])
        if room < 0:
            break
        found.append(pair)
    return found[::-1]


def form_of(count: int) -> dict[str, object]:
    """Return the JSON schema of an answer to `count` lines: a text for each number, and nothing else."""
    numbers = [str(place) for place in range(1, count + 1)]
    return {
        "type": "object",
        "properties": {number: {"type": "string"} for number in numbers},
        "required": numbers,
        "additionalProperties": False,
    }
