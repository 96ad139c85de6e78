"""translate: text by a language model that reads whole scenes, behind an endpoint that a person names.

The model gets a scene at once, with what was said before it (`prompts`). Its answer is checked (`answers`,
and the checks behind every translator), and asked for again in smaller pieces (`asking`). What stays wrong is
left to the next translator: a film never fails for a line. A scene that is done is kept for the next attempt
(`keeping`): a worker that dies pays for one scene again, at most.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace

from protocol.errors import InputError
from protocol.stages.translate import MODEL_OF_SERVICE, TranslateRequest, TranslateResult
from protocol.timeline import Transcript
from workers.engine import Context, Models
from workers.engines.llm.conversation import Conversation, Progress
from workers.engines.llm.endpoint import Endpoint
from workers.engines.llm.failing import DeadError
from workers.engines.llm.settings import Patience, Settings, patience_for, read_settings
from workers.text.languages.model import judge_of
from workers.text.transcripts import read
from workers.text.translating import translate_sentences

__all__ = ["ChatTranslate"]

ENGINE = "llm"
PatienceFor = Callable[[int, Mapping[str, str]], Patience]
"""Takes the length of a film in milliseconds, and the environment variables."""


class ChatTranslate:
    """Translates whatever pair the model knows."""

    stage = "translate"

    def __init__(
        self, environ: Mapping[str, str] = os.environ, patience_for: PatienceFor = patience_for
    ) -> None:
        self._environ = environ
        self._patience_for = patience_for

    def warm(self, models: Models, model: str | None) -> None:  # noqa: ARG002 (the engine's contract)
        """Import the client; nobody is asked anything."""
        import openai  # noqa: F401 (its import takes a second)

    def run(self, request: TranslateRequest, context: Context) -> TranslateResult:
        """Write `transcript.<target>.json`, or `draft.<target>.json` where lines are left, and the counts.

        `request.model` is the name of a model at the endpoint, or `endpoint`. `batch_size` is the most lines
        of a scene; `device`, `compute_type` and `beam_size` change nothing.

        Raises `MissingError` and `UsageError` where the settings, or what the endpoint says of them, are
        wrong; `TransientError` where it cannot be reached; `InputError` for a film that is in the target's
        language. Once a part of the film is done, none of them: the rest is left.
        """
        if request.source_language == request.target_language:
            message = f"The film is in {request.target_language!r} already."
            raise InputError(message, "Name another target: -t LANGUAGE.")
        settings = read_settings(self._environ)
        source = read(context, request.transcript)
        film_ms = max((segment.end_ms for segment in source.segments), default=0)
        progress = Progress(context.progress)
        patience = self._patience_for(film_ms, self._environ)
        with Endpoint(settings, patience, progress.check) as endpoint:
            try:
                return _result(request, context, source, settings, endpoint, progress)
            except DeadError as error:
                raise (error.error or error) from error


def _result(
    request: TranslateRequest,
    context: Context,
    source: Transcript,
    settings: Settings,
    endpoint: Endpoint,
    progress: Progress,
) -> TranslateResult:
    asked = "" if request.model == MODEL_OF_SERVICE else request.model
    # A film in which nobody speaks asks nobody.
    model = endpoint.model(asked) if source.segments else asked or settings.model
    film = Conversation(endpoint, settings.url, model, context.kept, progress)
    film.names = {speaker.id: speaker.name or f"speaker {speaker.id}" for speaker in source.speakers}
    film.judge = judge_of(context.models)
    named = replace(request, model=model)
    result = translate_sentences(named, context, ENGINE, film.meanings)
    return replace(result, notes=(*result.notes, *_notes(film, settings, result.left)))


def _notes(film: Conversation, settings: Settings, left: int) -> list[str]:
    """Return what the film cost, what is left, and whether its text has left this machine."""
    usage = film.usage
    if not usage.calls:
        return []
    # One server calls its model by the path of its file.
    model = film.model.rpartition("/")[2] if film.model.startswith("/") else film.model
    notes = [
        f"{model} at {settings.place}: {usage.calls} question{'s' * (usage.calls != 1)}, "
        f"{usage.tokens_in:,} tokens read and {usage.tokens_out:,} written in {usage.seconds:.0f} s"
    ]
    if left:
        why = f": {film.gave_up}" if film.gave_up else ""
        notes.append(f"{left} line{'s are' if left != 1 else ' is'} left by {model}{why.rstrip('.')}")
    if not settings.is_this_machine:
        notes.append(f"The text of the subtitles has left this machine: it was sent to {settings.place}")
    return notes
