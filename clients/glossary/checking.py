"""Checks terms that came as values and not from a file. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clients.glossary.reading import LONGEST_TERM, MOST_TERMS
from protocol.errors import UsageError
from protocol.jobs.glossary import Term
from protocol.languages import find_tag

__all__ = ["checked_terms"]


def checked_terms(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Return the terms, their languages as tags; raises `UsageError` that names a term by its place."""
    if len(terms) > MOST_TERMS:
        raise UsageError(f"The glossary has {len(terms)} terms, and {MOST_TERMS} are the most.")
    return tuple(_checked(term, place) for place, term in enumerate(terms))


def _checked(term: Term, place: int) -> Term:
    source, target, note = (" ".join(word.split()) for word in (term.source, term.target, term.note))
    if not source:
        raise UsageError(f"glossary[{place}].source is empty.")
    if max(map(len, (source, target, note))) > LONGEST_TERM:
        raise UsageError(f"glossary[{place}] has a word of over {LONGEST_TERM} letters.")
    try:
        language = str(find_tag(term.language)) if term.language else ""
    except UsageError as error:
        raise UsageError(f"glossary[{place}].language: {error.message}", error.remedy) from error
    return replace(term, source=source, target=target, note=note, language=language)
