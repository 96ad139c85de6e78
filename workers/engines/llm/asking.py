"""Gets a scene translated: what is asked again, in what pieces, and when it is given up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from protocol.errors import TransientError
from protocol.jobs.glossary import Term
from workers.engines.llm.answers import Answer, read_answer
from workers.engines.llm.failing import (
    BadAnswerError,
    CutShortError,
    DeadError,
    NoAnswerError,
    TooLongError,
)
from workers.engines.llm.prompts import Message, Pair, question
from workers.engines.llm.scenes import SceneLine, best_cut

__all__ = ["Ask", "Asker", "Asking", "Usage"]

log = logging.getLogger(__name__)
Ask = Callable[[list[Message], int, int], Answer]
"""Takes messages, the number of lines, and the most tokens of an answer."""
_TRIES = 2
_STRIKES = 12
"""So many questions in a row without one useful line: the endpoint or the model is of no use. A single line
that it cannot do costs fewer: a scene of 24 is asked twice, then in halves down to that line."""
_SILENCE = 3
"""What no answer counts: it costs minutes."""
_LEAST_TOKENS, _TOKENS_A_CHARACTER = 256, 4
"""The cap on an answer, so that a model that goes in circles ends. A letter may be two tokens."""
_LARGER = 4
"""Times the cap, for a second try of what was cut: the model may think before it answers."""


@dataclass
class Usage:
    """What a film has cost at the endpoint."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    seconds: float = 0.0

    def add(self, other: Usage) -> None:
        """Count what another part of the film has cost, too."""
        self.calls += other.calls
        self.tokens_in += other.tokens_in
        self.tokens_out += other.tokens_out
        self.seconds += other.seconds


@dataclass
class Asking:
    """What the questions of a film have in common."""

    ask: Ask
    system: str
    terms: Sequence[Term]
    languages: tuple[str, str]
    """From which into which is translated."""
    clock: Callable[[], float]
    usage: Usage = field(default_factory=Usage)
    strikes: int = 0

    def messages(self, lines: Sequence[SceneLine], history: Sequence[Pair]) -> list[Message]:
        """Return the question."""
        return [
            {"role": "system", "content": self.system},
            {"role": "user", "content": question(lines, history, self.terms, *self.languages)},
        ]

    def asked(self, lines: Sequence[SceneLine], history: Sequence[Pair], larger: int = 1) -> list[str]:
        """Return what the model makes of the lines, in order; some may be empty.

        Raises `BadAnswerError`, `NoAnswerError`, `TooLongError`, `DeadError`.
        """
        characters = sum(len(line.text) for line in lines)
        most_tokens = larger * (_LEAST_TOKENS + _TOKENS_A_CHARACTER * characters)
        began = self.clock()
        self.usage.calls += 1
        try:
            answer = self.ask(self.messages(lines, history), len(lines), most_tokens)
        finally:
            self.usage.seconds += self.clock() - began
        self.usage.tokens_in += answer.tokens_in
        self.usage.tokens_out += answer.tokens_out
        return read_answer(answer, len(lines))

    def struck(self, error: Exception) -> None:
        """Count a question without a useful answer; `DeadError` where there were too many in a row."""
        log.info("a question had no useful answer: %s", error)
        self.strikes += _SILENCE if isinstance(error, NoAnswerError) else 1
        if self.strikes >= _STRIKES:
            message = f"The language model gives no useful answer: {error}."
            silent = isinstance(error, NoAnswerError)
            raise DeadError(TransientError(message) if silent else None) from error


class Asker:
    """A scene: asked whole, then whole again, then in halves, then line by line without what was before.

    `found` has the translations so far, by the place of the line; it is good even when `DeadError` ended it.
    """

    def __init__(self, asking: Asking, lines: Sequence[SceneLine], history: Sequence[Pair]) -> None:
        self.found: dict[int, str] = {}
        self._asking = asking
        self._lines = lines
        self._history = list(history)

    def run(self) -> None:
        """Ask for all lines; raises `DeadError`."""
        self._group(list(range(len(self._lines))), _TRIES)

    def again(self, places: Sequence[int]) -> None:
        """Ask once more for the lines at these places, with the others as what was said before."""
        for place in places:
            self.found.pop(place, None)
        self._is_done(places, 1, self._before(places[0]))

    def _group(self, places: list[int], tries: int) -> None:
        if not places or self._is_done(places, tries, self._before(places[0])):
            return
        if len(places) == 1:
            self._is_done(places, 1, [])
            return
        at = best_cut([self._lines[place] for place in places], least=len(places) // 3)
        self._group(places[:at], 1)
        self._group(places[at:], 1)

    def _before(self, place: int) -> list[Pair]:
        """Return the pairs that were said before the line: of earlier scenes, and of this one."""
        own = [(self._lines[at].text, self.found[at]) for at in sorted(self.found) if at < place]
        return self._history + own

    def _is_done(self, places: Sequence[int], tries: int, history: Sequence[Pair]) -> bool:
        """Ask for all these lines at once; return whether the answer says which text is whose."""
        lines = [self._lines[place] for place in places]
        larger = 1
        for _ in range(tries):
            try:
                texts = self._asking.asked(lines, history, larger)
            except TooLongError as error:
                self._asking.struck(error)
                return False
            except (BadAnswerError, NoAnswerError) as error:
                self._asking.struck(error)
                larger = _LARGER if isinstance(error, CutShortError) else 1
                continue
            if any(texts):
                self._asking.strikes = 0
            self.found.update(
                (place, text) for place, text in zip(places, texts, strict=True) if text.strip()
            )
            return True
        return False
