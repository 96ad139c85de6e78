"""What a request of OpenAI's clients asks for: its fields, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

from clients.api.answers import HttpProblem
from clients.api.speech.forms import Form
from clients.api.speech.wanted import TRANSCRIBE, TRANSLATE, Wanted, language_of, languages_of, model_of

__all__ = ["DEFAULT_MODEL", "FORMATS", "Wish", "read_wish"]

DEFAULT_MODEL = "whisper-1"
"""What most programs send: the model that this house uses where nobody chooses one."""
FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
_GRANULARITIES = ("word", "segment")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How the answer is to look, and what is to be done for it."""

    wanted: Wanted
    form: str
    words: bool
    segments: bool
    stream: bool
    task: str
    """`transcribe` or `translate`, as the answer says it."""


def read_wish(form: Form, *, translates: bool) -> Wish:
    """Return what the fields mean; a 400 or 404 says which of them is wrong."""
    shape = form.one("response_format") or "json"
    if shape == "diarized_json":
        text = "It is not known here who speaks: diarized_json cannot be made."
        raise _wrong(text, "Use verbose_json.", "response_format")
    if shape not in FORMATS:
        text = f"There is no response_format {shape!r}."
        raise _wrong(text, f"One of {', '.join(FORMATS)}.", "response_format")
    granularities = form.all("timestamp_granularities")
    if wrong := [word for word in granularities if word not in _GRANULARITIES]:
        text = f"There is no granularity {wrong[0]!r}."
        raise _wrong(text, "Write word or segment.", "timestamp_granularities")
    if granularities and shape != "verbose_json":
        text = "timestamp_granularities needs response_format=verbose_json."
        raise _wrong(text, "", "timestamp_granularities")
    _check_temperature(form.one("temperature"))
    return Wish(
        wanted=_wanted(form, translates=translates),
        form=shape,
        words="word" in granularities,
        segments="segment" in granularities or not granularities,
        stream=form.is_set("stream"),
        task=TRANSLATE if translates else TRANSCRIBE,
    )


def _wanted(form: Form, *, translates: bool) -> Wanted:
    targets = languages_of(form.all("target_language"), "target_language")
    if translates and not targets:
        targets = ("en",)
    usual = TRANSLATE if targets else TRANSCRIBE
    model = form.one("model") or DEFAULT_MODEL
    languages = languages_of((form.one("language"),), "language") or languages_of(
        form.all("languages"), "languages"
    )
    return Wanted(
        workflow=form.one("workflow") or usual,
        # Of several that may be spoken one is heard.
        source=language_of(languages[0]) if len(languages) == 1 else None,
        targets=targets,
        model="" if model == DEFAULT_MODEL else model_of(model),
        prompt=form.one("prompt"),
        hotwords=form.all("keywords"),
        profile=form.one("profile"),
    ).checked()


def _check_temperature(written: str) -> None:
    """Refuse what is no temperature. One that is changes nothing: it is 0 at first, and rises if need be."""
    try:
        found = float(written or "0")
    except ValueError:
        found = -1.0
    if not 0.0 <= found <= 1.0:
        raise _wrong(f"The temperature {written!r} is not between 0 and 1.", "", "temperature")


def _wrong(text: str, remedy: str, param: str) -> HttpProblem:
    return HttpProblem(400, text, remedy, code="invalid_value", param=param)
