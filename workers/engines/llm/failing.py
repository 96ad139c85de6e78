"""How a question can fail, and what may be done then."""

from __future__ import annotations

from protocol.errors import CpwError

__all__ = [
    "BadAnswerError",
    "CutShortError",
    "DeadError",
    "NoAnswerError",
    "RefusedError",
    "TooLongError",
]


class BadAnswerError(Exception):
    """The answer cannot be used: another try may be better, or a smaller question."""


class CutShortError(BadAnswerError):
    """It reached the cap on its length."""


class TooLongError(Exception):
    """The question does not fit into the model's context: only a smaller one may."""


class NoAnswerError(Exception):
    """None came, or half of one: another question may have more luck."""


class RefusedError(Exception):
    """The endpoint does not understand a parameter; `words` are its own."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class DeadError(Exception):
    """No more questions: `error` says why, for a person.

    None: the endpoint answers, but its model cannot do what it is asked.
    """

    def __init__(self, error: CpwError | None) -> None:
        super().__init__(error.message if error else "the model gives no useful answer")
        self.error = error
