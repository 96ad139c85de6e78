"""What a program wants of a sound file, and the submission that it is: the same wish twice is one job."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from clients.api.answers import HttpProblem
from clients.api.bodies import Arrived
from clients.submission import user_name
from envspecs.models.registry import Listed, list_models
from protocol.errors import UsageError
from protocol.languages import find_language, find_tag, language_name
from protocol.messages import Submit
from protocol.stages import WORKFLOWS, asr, diarize, subtitle
from protocol.subtitles.formats import WRITTEN_FORMATS

__all__ = [
    "PRIORITY",
    "TRANSCRIBE",
    "TRANSLATE",
    "Wanted",
    "language_of",
    "languages_of",
    "model_of",
    "speech_models",
]

TRANSCRIBE, TRANSLATE = "transcribe", "translate"
"""Workflows, and the tasks of those names in the interfaces of others."""
PRIORITY = 10
"""Somebody waits for the answer: as for a person who submits one film."""
_FORMATS = ("srt", "vtt", "txt", "tsv", "json")
"""Whatever answer is asked for, it is the same job."""
_DETECT = frozenset({"", "auto", "und", "none", "null"})


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A wish; what is left out is as a submission leaves it out."""

    workflow: str = TRANSCRIBE
    source: str | None = None
    targets: tuple[str, ...] = ()
    model: str = ""
    """Id in the model store; empty: the usual one."""
    prompt: str = ""
    hotwords: tuple[str, ...] = ()
    profile: str = ""
    start_ms: int | None = None
    end_ms: int | None = None
    diarize: bool = False
    """Whether it is asked who speaks."""

    def checked(self) -> Wanted:
        """Return it, if it can be done; a 400 or `UsageError` otherwise."""
        if self.workflow not in WORKFLOWS:
            text = f"There is no workflow {self.workflow!r}."
            raise HttpProblem(400, text, f"One of {', '.join(WORKFLOWS)}.", param="workflow")
        if self.targets and not WORKFLOWS[self.workflow].translates:
            text = f"The workflow {self.workflow} makes no translation."
            raise HttpProblem(400, text, "Leave out target_language.", param="target_language")
        return self

    @property
    def answer_language(self) -> str | None:
        """The language of the transcript that is the answer; None: the film's own."""
        workflow = WORKFLOWS[self.workflow]
        targets = self.targets or (() if workflow.keeps_source else workflow.default_targets)
        return targets[0] if targets else None

    def submission(self, film: Arrived, title: str, out: str) -> Submit:
        """Return the submission. Its key is made of the bytes and of the wish, not of the name."""
        wish = dataclasses.asdict(self)
        if not self.diarize:
            # Keys stay as they were before it could be asked.
            del wish["diarize"]
        known = json.dumps([film.sha256, wish], sort_keys=True)
        return Submit(
            media=str(film.path),
            workflow=self.workflow,
            user=user_name(),
            out=out,
            source_language=self.source,
            target_languages=self.targets,
            title=PurePath(title).stem or None,
            start_ms=self.start_ms,
            end_ms=self.end_ms,
            parameters=self._parameters(),
            with_stages=(diarize.STAGE.name,) if self.diarize else (),
            priority=PRIORITY,
            key=f"http-{hashlib.sha256(known.encode()).hexdigest()}",
        )

    def _parameters(self) -> dict[str, dict[str, Any]]:
        hearing: dict[str, Any] = {}
        if self.model:
            hearing["model"] = self.model
        if self.prompt:
            hearing["initial_prompt"] = self.prompt
        if self.hotwords:
            hearing["hotwords"] = list(self.hotwords)
        writing: dict[str, Any] = {"formats": [name for name in _FORMATS if name in WRITTEN_FORMATS]}
        if self.profile:
            writing["profile"] = self.profile
        found = {subtitle.STAGE.name: writing}
        return {asr.STAGE.name: hearing, **found} if hearing else found


def language_of(written: str, param: str = "language") -> str | None:
    """Return the code of a language as programs write it; None: it is to be heard. A 400 for what is none."""
    if written.strip().casefold() in _DETECT:
        return None
    _refuse_script(written, param)
    # `pt-BR`: what is spoken is the language, whatever the country.
    word = written.strip().replace("_", "-").partition("-")[0]
    try:
        return find_language(word).code
    except UsageError as error:
        raise HttpProblem(400, error.message, error.remedy, param=param) from error


def _refuse_script(written: str, param: str) -> None:
    """Raise a 400 where another script is asked for: what is answered here is the translation as it came."""
    try:
        tag = find_tag(written)
    except UsageError:
        return
    if tag.script:
        text = f"{language_name(str(tag))} is written by jobs, whose subtitles may be in another script."
        raise HttpProblem(400, text, f"Ask for {tag.language}, or make a job: POST /jobs.", param=param)


def languages_of(written: tuple[str, ...], param: str) -> tuple[str, ...]:
    """Return codes from several values, each of which may name several languages, with commas."""
    words = [word for value in written for word in value.split(",") if word.strip()]
    return tuple(dict.fromkeys(code for word in words if (code := language_of(word, param))))


def speech_models() -> tuple[Listed, ...]:
    """Return the models of the store that hear speech."""
    prefix = asr.STAGE.model_prefix
    return tuple(found for found in list_models() if found.in_store and found.model.id.startswith(prefix))


def model_of(written: str) -> str:
    """Return the id of a model of the store, written with or without `whisper-`; a 404 for others."""
    prefix = asr.STAGE.model_prefix
    names = {found.model.id for found in speech_models()}
    for name in (written, f"{prefix}{written}"):
        if name in names:
            return name
    text = f"The model {written!r} does not exist here."
    remedy = f"There are: whisper-1, {', '.join(sorted(names))}."
    raise HttpProblem(404, text, remedy, code="model_not_found", param="model")
