"""Makes a translation model write the terms of a glossary as that says.

A translation that has the terms stays as it is: nothing is better than what the model says by itself. A word
that it copied from the source is written as its target. Where a term is lacking even so, the model is given a
name that there is not in its place, and copies it: signs such as `{1}` or `__1__` go through no tokenizer
unharmed (docs/adr/0038-glossary.md has the figures). What comes back is believed only where every name came
back whole, and where it is no more doubtful than the plain translation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from protocol.jobs.glossary import Term
from protocol.stages.translate import TranslateRequest
from workers.text.checks.marking import marks_of
from workers.text.checks.mending import mended
from workers.text.glossary.checking import FOUND, state_of
from workers.text.glossary.finding import TermFinder, bounded, composed
from workers.text.pieces import clean
from workers.text.scripts import is_foreign

__all__ = ["FORMS", "NAMES", "NameForm", "Protected", "protect", "protecting", "restore"]

_Translate = Callable[[Sequence[str], Callable[[float], None]], list[str]]
_FIRST_SHARE = 0.7

NAMES = (
    "Zorvex", "Xyzzar", "Bexalor", "Xandar", "Zorvek", "Kembrix", "Dolvanix", "Quimba", "Qwertzo", "Vlimpok",
)  # fmt: skip
"""Names that there are not, by how often a model copied them; a sentence has so many terms at most."""


@dataclass(frozen=True, kw_only=True)
class NameForm:
    """How the names that stand for terms look."""

    first: int = 0
    """With which of `NAMES` a sentence begins."""
    before: str = ""
    """`#`: models that write names in another script leave hash tags."""

    def names(self, text: str) -> Iterator[str]:
        """Yield names that the text does not have."""
        taken = text.casefold()
        for name in (*NAMES[self.first :], *NAMES[: self.first]):
            if name.casefold() not in taken:
                yield f"{self.before}{name}"


FORMS = (NameForm(), NameForm(first=5))
"""They are tried one after the other where the target is in Latin letters ..."""
_TAG_FORMS = (NameForm(before="#"), NameForm())
"""... and these for other scripts."""


@dataclass(frozen=True, kw_only=True)
class Protected:
    """A text with names in the places of its terms."""

    text: str
    held: tuple[tuple[str, Term], ...]
    """Name and term, each once."""


def protect(text: str, finder: TermFinder, form: NameForm) -> Protected | None:
    """Return the text with names for its terms; None where it has none."""
    plain = composed(text)
    occurrences = list(finder.find(plain))
    # A name that a target has would be taken for another term's when that is put in.
    names = form.names(" ".join((plain, *(found.term.written for found in occurrences))))
    held: dict[Term, str] = {}
    parts: list[str] = []
    place = 0
    for found in occurrences:
        name = held.get(found.term) or next(names, "")
        if name:
            held[found.term] = name
            parts += [plain[place : found.start], name]
            place = found.end
    if not held:
        return None
    pairs = tuple((name, term) for term, name in held.items())
    return Protected(text="".join((*parts, plain[place:])), held=pairs)


def restore(protected: Protected, translation: str, language: str) -> str | None:
    """Return the translation with the targets of the terms; None unless every name came back whole."""
    text = translation
    for name, term in protected.held:
        written = term.written
        text, number = re.subn(
            bounded(re.escape(name), language), partial(_capital, written), text, flags=re.IGNORECASE
        )
        if not number:
            return None
    left = text.casefold()
    bare = (name.lstrip("#") for name, _ in protected.held)
    return None if any(name.casefold() in left for name in bare) else text


def _capital(written: str, match: re.Match[str]) -> str:
    """Return the target, with a capital where it begins the text."""
    before = match.string[: match.start()].strip("-\u2013\u2014\u00bf\u00a1\u00ab\u201c\"'( ")
    return written if before else written[:1].upper() + written[1:]


def protecting(translate: _Translate, request: TranslateRequest) -> _Translate:
    """Return `translate` so that it writes the terms of the request's glossary as that says.

    All texts are translated as they are. Only those whose translation lacks a term are translated again with
    names in the places of the terms, and once more with other names where that failed.
    """
    if not request.glossary:
        return translate
    return _Keeper(translate, request).translate


def _tell(progress: Callable[[float], None], done: float, part: float, share: float) -> None:
    progress(done + part * share)


class _Keeper:
    """Translates with a glossary."""

    def __init__(self, translate: _Translate, request: TranslateRequest) -> None:
        self._translate = translate
        self._request = request
        self._finder = TermFinder(request.glossary, request.source_language)
        other_script = is_foreign(NAMES[0], request.target_language, request.target_script)
        self._forms = _TAG_FORMS if other_script else FORMS

    def translate(self, texts: Sequence[str], progress: Callable[[float], None]) -> list[str]:
        """Return the translations in order."""
        terms = [self._terms(text) for text in texts]
        if not any(terms):
            return self._translate(texts, progress)
        done = _FIRST_SHARE
        found = self._translate(texts, partial(_tell, progress, 0.0, done))
        found = [self._patched(text, here) if here else text for text, here in zip(found, terms, strict=True)]
        lacking = [place for place, here in enumerate(terms) if self._lacks(found[place], here)]
        for form in self._forms:
            if lacking:
                part = (1 - _FIRST_SHARE) / len(self._forms)
                self._kept(form, texts, found, lacking, partial(_tell, progress, done, part))
                done += part
        return found

    def _kept(
        self,
        form: NameForm,
        texts: Sequence[str],
        found: list[str],
        lacking: list[int],
        check: Callable[[float], None],
    ) -> None:
        """Translate with names what lacks terms; take out of `lacking` what came back whole."""
        held = {place: names for place in lacking if (names := protect(texts[place], self._finder, form))}
        answers = self._translate([names.text for names in held.values()], check)
        for (place, names), answer in zip(held.items(), answers, strict=True):
            restored = restore(names, answer, self._request.target_language)
            if restored is not None and self._doubts(texts[place], restored) <= self._doubts(
                texts[place], found[place]
            ):
                found[place] = restored
                lacking.remove(place)

    def _terms(self, text: str) -> tuple[Term, ...]:
        return tuple(dict.fromkeys(found.term for found in self._finder.find(composed(text))))

    def _lacks(self, translation: str, terms: Sequence[Term]) -> bool:
        return any(state_of(term, translation, self._request.target_language) != FOUND for term in terms)

    def _doubts(self, text: str, translation: str) -> int:
        """Return how many marks the translation has."""
        source, target = self._request.source_language, self._request.target_language
        meaning = mended(text, clean(translation), source, target)
        return len(marks_of(text, meaning, source, target, self._request.target_script))

    def _patched(self, translation: str, terms: Sequence[Term]) -> str:
        """Return the translation with the targets of the terms that were copied into it as they are said.

        A term that is part of another, or of its target, stays there: `Delhi` in `New Delhi`.
        """
        language = self._request.target_language
        lacking = [term for term in terms if state_of(term, translation, language) != FOUND]
        if not lacking:
            return translation
        text = composed(translation)
        written = [replace(term, source=term.written) for term in terms if term.written != term.source]
        for copied in reversed(list(TermFinder((*terms, *written), language).find(text))):
            if copied.term in lacking:
                text = f"{text[: copied.start]}{copied.term.written}{text[copied.end :]}"
        return text
