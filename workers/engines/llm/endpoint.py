"""The endpoint: questions go out, answers come back as they are written, and everything that can go wrong.

The client is OpenAI's own, with its defaults changed: no redirect is followed (the key would go along), no
proxy or file of passwords is taken from the machine, and what waits is watched here. An answer is streamed:
so a server that writes is told from one that hangs, and a cancelled job stops the server within a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from protocol.errors import MissingError, TransientError, UsageError
from workers.engines.llm.answers import Answer
from workers.engines.llm.dialect import Dialect
from workers.engines.llm.failing import DeadError, NoAnswerError, RefusedError, TooLongError
from workers.engines.llm.hearing import Reply, Watch, text_in
from workers.engines.llm.prompts import Message
from workers.engines.llm.settings import Patience, Settings
from workers.text.pieces import clean

if TYPE_CHECKING:
    from openai import APIError, APIStatusError

__all__ = ["Endpoint"]

log = logging.getLogger(__name__)
T = TypeVar("T")
_TICK_S = 0.1
_CONNECT_S = 10.0
_NO_KEY = "none"
_TOO_LONG = (
    "exceed_context_size",
    "context_length_exceeded",
    "context length",
    "context size",
    "maximum context",
)
_REFUSED = (400, 413, 422)
_FILTERED = "content_filter"
"""So one cloud says that it does not like a line."""
_MOST_REASON = 300


class Endpoint:
    """An endpoint, as long as a call lasts. Use as a context manager.

    `check` is called ten times a second; what it raises ends the question.
    """

    def __init__(
        self,
        settings: Settings,
        patience: Patience,
        check: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._patience = patience
        self._check = check
        self._clock = clock
        self._until_s = clock() + patience.film_s
        self._dialect = Dialect()
        self._understood = False
        """A question was taken: what is refused later is not refused for its parameters."""

    def __enter__(self) -> Endpoint:
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

        # With a job that is being looked into, the libraries would write every prompt into the log.
        for name in ("openai", "httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._loop = asyncio.new_event_loop()
        self._client = AsyncOpenAI(
            base_url=self._settings.url,
            api_key=self._settings.key or _NO_KEY,
            max_retries=self._patience.retries,
            # All waiting but this is the watch's.
            timeout=Timeout(None, connect=_CONNECT_S),
            http_client=DefaultAsyncHttpxClient(follow_redirects=False, trust_env=False),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run_until_complete(self._client.close())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def model(self, asked: str) -> str:
        """Return the model that is asked for, by the request or the settings, or the first that is listed.

        Raises `DeadError`.
        """
        if asked or self._settings.model:
            return asked or self._settings.model
        try:
            names = self._waited(self._models())
        except (NoAnswerError, RefusedError) as error:
            message = f"{self._settings.place} does not say which models it has: {error}."
            raise DeadError(TransientError(message, "Name one: export CPW_LLM_MODEL=NAME")) from error
        if not names:
            message = f"{self._settings.place} lists no model."
            raise DeadError(MissingError(message, "Load one there, or name it: export CPW_LLM_MODEL=NAME"))
        return names[0]

    async def _models(self) -> list[str]:
        found = await self._client.with_options(max_retries=0).models.list()
        listed = getattr(found, "data", None)
        names = [text_in(model, "id") for model in (listed if isinstance(listed, list) else ())]
        return [name for name in names if name]

    def ask(self, model: str, messages: list[Message], lines: int, most_tokens: int) -> Answer:
        """Return what the model answers to a question about so many lines.

        Raises `TooLongError`, `NoAnswerError`, `DeadError`, and what `check` raises.
        """
        while True:
            try:
                return self._waited(self._answer(model, messages, lines, most_tokens))
            except RefusedError as error:
                plainer = self._dialect.plainer(error.words)
                if plainer is None:
                    raise DeadError(
                        UsageError(f"{self._settings.place} refuses every question: {error.words}")
                    ) from error
                log.info("the endpoint refused a parameter: %s", error.words)
                self._dialect = plainer

    async def _answer(self, model: str, messages: list[Message], lines: int, most_tokens: int) -> Answer:
        stream: Any = await self._client.chat.completions.create(
            model=model,
            messages=messages,  # type: ignore[arg-type]  # (dictionaries by their keys)
            stream=True,
            **self._dialect.parameters(lines, most_tokens),
        )
        self._understood = True
        heard = Reply()
        async with stream:
            async for piece in stream:
                self._watch.heard()
                heard.take(piece)
        return heard.answer()

    def _waited(self, work: Coroutine[Any, Any, T]) -> T:
        from openai import APIError

        self._watch = Watch(self._patience, self._clock, self._until_s)
        try:
            return self._loop.run_until_complete(self._watched(work))
        except APIError as error:
            raise self._meaning(error) from error
        except (ValueError, RecursionError) as error:
            # The client reads whatever a server sends: no JSON, no UTF-8, a number too long, lists too deep.
            raise NoAnswerError("it is no stream of events") from error

    async def _watched(self, work: Coroutine[Any, Any, T]) -> T:
        task = self._loop.create_task(work)
        try:
            while not (await asyncio.wait({task}, timeout=_TICK_S))[0]:
                self._check()
                self._watch.check()
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    def _meaning(self, error: APIError) -> Exception:
        """Return what an error of the client means."""
        from openai import APIConnectionError, APIStatusError

        if isinstance(error, APIConnectionError) and _is_unreachable(error):
            message = f"Nobody answers at {self._settings.place}: {self._reason(error)}."
            return DeadError(TransientError(message, "Start the server there, or name another with CPW_LLM."))
        if isinstance(error, APIStatusError):
            return self._meaning_of_status(error)
        # An error may come inside a stream, too, in the server's words.
        words = self._hidden(error.message)
        if _is_too_long(words):
            return TooLongError(words)
        return NoAnswerError(f"the connection broke: {self._reason(error)}")

    def _meaning_of_status(self, error: APIStatusError) -> Exception:
        place, status, words = self._settings.place, error.status_code, self._words_of(error)
        if _is_too_long(words):
            return TooLongError(words)
        if status in (401, 403):
            message = f"{place} does not take the key ({status})."
            return DeadError(UsageError(message, "Name the file that holds it with CPW_LLM_KEY_FILE."))
        if status in (404, 410):
            message = f"{place} has no such model, or no chat at this address ({status}): {words}"
            return DeadError(
                MissingError(message, "Look at CPW_LLM (it ends in /v1, mostly) and CPW_LLM_MODEL.")
            )
        if 300 <= status < 400:
            message = f"{place} sends its visitors elsewhere ({status}), and the key is not taken there."
            return DeadError(UsageError(message, "Write the address that answers by itself into CPW_LLM."))
        if status in _REFUSED and not self._understood and _FILTERED not in words:
            return RefusedError(words)
        return NoAnswerError(f"{status}: {words}")

    def _words_of(self, error: APIStatusError) -> str:
        """Return what the server wrote, on one line: the types and codes of its error, too."""
        body = error.body if isinstance(error.body, (dict, list, str)) else ""
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
        return clean(self._hidden(text))[:_MOST_REASON]

    def _reason(self, error: Exception) -> str:
        words = clean(self._hidden(str(error.__cause__ or error)))
        return words.rstrip(".")[:_MOST_REASON] or type(error).__name__

    def _hidden(self, words: str) -> str:
        """Return a server's words without the key: some say which one they do not take."""
        return words.replace(self._settings.key, "***") if self._settings.key else words


def _is_too_long(words: str) -> bool:
    return any(phrase in words.lower() for phrase in _TOO_LONG)


def _is_unreachable(error: Exception) -> bool:
    """Return whether no connection was made: a server that breaks one off may take the next question."""
    from openai import APITimeoutError

    cause = type(error.__cause__).__name__
    return isinstance(error, APITimeoutError) or cause in (
        "ConnectError",
        "ConnectTimeout",
        "UnsupportedProtocol",
    )
