"""An answer as it comes: its pieces, and when it is time to give up."""

from __future__ import annotations

from collections.abc import Callable

from protocol.errors import TransientError
from workers.engines.llm.answers import Answer
from workers.engines.llm.failing import DeadError, NoAnswerError
from workers.engines.llm.settings import Patience

__all__ = ["Reply", "Watch", "text_in"]


class Watch:
    """When the last piece of an answer came, and whether it is time to give up."""

    def __init__(self, patience: Patience, clock: Callable[[], float], until_s: float) -> None:
        self._patience = patience
        self._clock = clock
        self._until_s = until_s
        self._began = self._last = clock()
        self._pieces = 0

    def heard(self) -> None:
        """Note that a piece came."""
        self._last = self._clock()
        self._pieces += 1

    def check(self) -> None:
        """Raise `NoAnswerError` where the endpoint is silent for too long, or takes too long altogether.

        `DeadError` where the whole film takes too long.
        """
        now = self._clock()
        if now > self._until_s:
            message = f"The language model did not end in {self._patience.film_s:.0f} s."
            raise DeadError(TransientError(message, "A quicker model, or CPW_BUDGET_SCALE=4 before cpw up."))
        silent_s = self._patience.between_s if self._pieces else self._patience.first_s
        if now - self._last > silent_s:
            raise NoAnswerError(f"it said nothing for {silent_s:.0f} s")
        if now - self._began > self._patience.total_s:
            raise NoAnswerError(f"its answer took more than {self._patience.total_s:.0f} s")


class Reply:
    """An answer as its pieces come. The client does not check them, and a server may send anything."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._refusal = self._end = ""
        self._tokens = (0, 0)

    def take(self, piece: object) -> None:
        """Add a piece; what is not of its type is passed over."""
        choices = getattr(piece, "choices", None)
        for choice in choices if isinstance(choices, list) else ():
            delta = getattr(choice, "delta", None)
            self._text.append(text_in(delta, "content"))
            self._refusal += text_in(delta, "refusal")
            self._end = text_in(choice, "finish_reason") or self._end
        usage = getattr(piece, "usage", None)
        if usage is not None:
            self._tokens = _number_in(usage, "prompt_tokens"), _number_in(usage, "completion_tokens")

    def answer(self) -> Answer:
        """Return it whole; `NoAnswerError` where the stream ended in the middle, or had nothing."""
        text = "".join(self._text)
        if not self._end and not text.rstrip().endswith("}"):
            raise NoAnswerError("the answer broke off")
        tokens_in, tokens_out = self._tokens
        return Answer(
            text=text, end=self._end, refusal=self._refusal, tokens_in=tokens_in, tokens_out=tokens_out
        )


def text_in(thing: object, name: str) -> str:
    """Return the thing's text of this name, as UTF-8 can hold it; empty where it has none."""
    found = getattr(thing, name, None)
    return found.encode("utf-8", "replace").decode() if isinstance(found, str) else ""


def _number_in(thing: object, name: str) -> int:
    found = getattr(thing, name, None)
    return found if isinstance(found, int) else 0
