"""A film, scene by scene: what is asked, what is kept, what is left when there are no more answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from protocol.stages.translate import TranslateRequest
from protocol.subtitles.doubts import UNTRANSLATED
from workers.engines.llm.answers import FAILURES
from workers.engines.llm.asking import Asker, Asking, Usage
from workers.engines.llm.endpoint import Endpoint
from workers.engines.llm.failing import DeadError
from workers.engines.llm.keeping import KeptScene, key_of, read_kept, write_kept
from workers.engines.llm.prompts import MOST_HISTORY, Pair, occurring, system_prompt
from workers.engines.llm.scenes import MOST_LINES, SceneLine, cut_scenes, lines_of
from workers.text.languages.telling import Judge, is_other, tell
from workers.text.pieces import clean
from workers.text.sentences import Sentence
from workers.text.translating import Meaning, Tell, meaning_of
from workers.text.writing import is_punctuation

__all__ = ["Conversation", "Progress"]

_LEFT = Meaning(text="", marks=(UNTRANSLATED,), left=True)


class Progress:
    """How far a call is; told again while an answer is waited for, so that a cancelled job is noticed."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last = 0.0, "asking the language model"

    def at(self, tell: Tell, share: float, note: str) -> None:
        """Tell how far it is, and remember it; raises `CancelledError` where somebody cancelled the call."""
        self._tell, self._last = tell, (share, note)
        self.check()

    def check(self) -> None:
        """Tell the same again; raises `CancelledError`."""
        self._tell(*self._last)


class Conversation:
    """All questions about a film. `names` says what the ids of its speakers are called."""

    def __init__(
        self,
        endpoint: Endpoint,
        url: str,
        model: str,
        kept: Callable[[str], Path],
        progress: Progress,
    ) -> None:
        self.model = model
        self.judge: Judge | None = None
        """Who tells the language of an answer; None: nobody here can."""
        self.names: Mapping[str, str] = {}
        self.usage = Usage()
        self.gave_up = ""
        """Why nothing more is asked; empty: there is no reason to stop."""
        self._endpoint = endpoint
        self._url = url
        self._kept = kept
        self._progress = progress
        self._has_some = False

    def meanings(self, sentences: Sequence[Sentence], request: TranslateRequest, told: Tell) -> list[Meaning]:
        """Return a meaning for each sentence: `workers.text.translating.Meanings`.

        Raises `DeadError` where the endpoint gives no answers from the beginning.
        """
        spoken = [sentence for sentence in sentences if not is_punctuation(sentence.text)]
        lines = lines_of(spoken, request.target_language, self.names)
        texts = [line.text for line in lines]
        languages = request.source_language, request.target_language
        asking = Asking(
            ask=partial(self._endpoint.ask, self.model),
            system=system_prompt(request, texts),
            terms=occurring(request.glossary, texts, *languages),
            languages=languages,
            clock=time.monotonic,
        )
        history: list[Pair] = []
        made: list[Meaning] = []
        for scene in cut_scenes(lines, request.batch_size if request.batch_size > 1 else MOST_LINES):
            self._progress.at(told, len(made) / len(lines), "translating scenes")
            found = self._scene(asking, scene, history, request)
            made += found
            good = [
                (line.text, meaning.text) for line, meaning in zip(scene, found, strict=True) if meaning.text
            ]
            history = [*history, *good][-MOST_HISTORY:]
        translated = iter(made)
        return [
            Meaning(text=clean(sentence.text)) if is_punctuation(sentence.text) else next(translated)
            for sentence in sentences
        ]

    def _scene(
        self, asking: Asking, scene: Sequence[SceneLine], history: Sequence[Pair], request: TranslateRequest
    ) -> Sequence[Meaning]:
        messages = asking.messages(scene, history)
        key = key_of(self._url, self.model, messages, retry=request.retry)
        kept = read_kept(self._kept, key, len(scene))
        if kept is None:
            if self.gave_up:
                return [_LEFT] * len(scene)
            asking.usage = Usage()
            found = self._asked(Asker(asking, scene, history), scene, request)
            kept = KeptScene(meanings=tuple(found), usage=asking.usage)
            if not self.gave_up:
                write_kept(self._kept, key, kept)
        self.usage.add(kept.usage)
        self._has_some = self._has_some or any(not meaning.left for meaning in kept.meanings)
        return kept.meanings

    def _asked(self, asker: Asker, scene: Sequence[SceneLine], request: TranslateRequest) -> list[Meaning]:
        """Return what becomes of a scene; what is doubtful is asked for once more."""
        first: list[Meaning] = []
        doubtful: list[int] = []
        try:
            asker.run()
            first = self._judged(asker.found, scene, request)
            doubtful = [place for place, meaning in enumerate(first) if meaning.marks]
            if doubtful and request.retry:
                asker.again(doubtful)
        except DeadError as error:
            if error.error and not self._has_some and not asker.found and not first:
                raise
            self.gave_up = str(error)
        second = self._judged(asker.found, scene, request)
        if first and request.retry:
            second = [
                _better(one, other) if place in doubtful else one
                for place, (one, other) in enumerate(zip(first, second, strict=True))
            ]
        return [_LEFT if FAILURES.intersection(meaning.marks) else meaning for meaning in second]

    def _judged(
        self, found: Mapping[int, str], scene: Sequence[SceneLine], request: TranslateRequest
    ) -> list[Meaning]:
        """Return a meaning for each line; a line without an answer is empty."""
        meanings = [meaning_of(line.text, found.get(place, ""), request) for place, line in enumerate(scene)]
        return [self._doubted(meaning, request) for meaning in meanings]

    def _doubted(self, meaning: Meaning, request: TranslateRequest) -> Meaning:
        """Return it with a mark where it is in the source's language: small models reword what they read."""
        told = tell(meaning.text, self.judge) if self.judge and meaning.text else None
        if told is None or is_other(told, request.source_language):
            return meaning
        if not is_other(told, request.target_language):
            return meaning
        return replace(meaning, marks=tuple(sorted({*meaning.marks, UNTRANSLATED})))


def _better(first: Meaning, second: Meaning) -> Meaning:
    """Return the one with fewer faults, then with fewer doubts; the first where they are alike."""

    def faults(meaning: Meaning) -> tuple[int, int]:
        return len(FAILURES.intersection(meaning.marks)), len(meaning.marks)

    again = faults(second) < faults(first)
    return replace(second if again else first, again=again, retried=True)
