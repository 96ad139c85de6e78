"""A glossary: how names and terms are to be written, and what they are called in other languages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from protocol.languages import read_tag
from protocol.schema import SPARSE

__all__ = ["Term", "merged", "sources_of", "terms_for"]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A row of a glossary."""

    source: str
    """As it is said, and written in the film's own language."""
    target: str = field(default="", metadata=SPARSE)
    """As it is written in a translation; empty: as it is in the source."""
    language: str = field(default="", metadata=SPARSE)
    """BCP 47 tag of the translations that `target` is for; empty: all."""
    note: str = field(default="", metadata=SPARSE)
    """What it is, for a translator that reads: `a village`."""

    @property
    def written(self) -> str:
        """Return what stands for it in a translation."""
        return self.target or self.source


def merged(glossaries: Iterable[Iterable[Term]]) -> tuple[Term, ...]:
    """Return the terms of several glossaries, of which the first counts where they contradict each other."""
    found: dict[tuple[str, str], Term] = {}
    for glossary in glossaries:
        # A nearer term for all languages stands for those of each language, too.
        nearer = {source for source, language in found if not language}
        for term in glossary:
            key = term.source.casefold()
            if key not in nearer:
                found.setdefault((key, term.language), term)
    return tuple(found.values())


def terms_for(glossary: Iterable[Term], language: str) -> tuple[Term, ...]:
    """Return the terms for translations into `language`, each source once, without a language.

    What is for the tag itself (`hi-Latn`) counts before what is for the language, and that before what is
    for all. A term that only has targets for other languages is not among them.
    """
    names = (language, read_tag(language).language, "")
    chosen: dict[str, Term] = {}
    for term in glossary:
        if term.language in names:
            held = chosen.setdefault(term.source.casefold(), term)
            if names.index(term.language) < names.index(held.language):
                chosen[term.source.casefold()] = term
    return tuple(replace(term, language="") for term in chosen.values())


def sources_of(glossary: Iterable[Term]) -> tuple[str, ...]:
    """Return what is listened for, each once.

    A term whose target is the source of another is a wrong spelling of that, and is not listened for.
    """
    terms = tuple(glossary)
    sources = {term.source for term in terms}
    wrong = {term.source for term in terms if term.target != term.source and term.target in sources}
    return tuple(dict.fromkeys(term.source for term in terms if term.source not in wrong))
