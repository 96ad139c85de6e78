"""What a request of OpenAI's clients asks for: its fields, read and checked."""

from __future__ import annotations

from dataclasses import dataclass

from clients.api.answers import HttpProblem
from clients.api.speech.forms import Form
from clients.api.speech.wanted import TRANSCRIBE, TRANSLATE, Wanted, language_of, languages_of, model_of

__all__ = ["DEFAULT_MODEL", "FORMATS", "Wish", "read_wish"]

DEFAULT_MODEL = "whisper-1"
"""What most programs send: the model that this house uses where nobody chooses one."""
DIARIZING_MODEL = "gpt-4o-transcribe-diarize"
"""What programs send that ask who speaks: the usual model, too."""
DIARIZED = "diarized_json"
FORMATS = ("json", "text", "srt", "vtt", "verbose_json", DIARIZED)
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
    if form.all("known_speaker_names") or form.all("known_speaker_references"):
        text = "Known speakers are not told by samples here."
        remedy = "Name the voices of the job when it is done: cpw speakers JOB"
        raise _wrong(text, remedy, "known_speaker_names")
    return Wish(
        wanted=_wanted(form, translates=translates, diarize=shape == DIARIZED),
        form=shape,
        words="word" in granularities,
        segments="segment" in granularities or not granularities,
        stream=form.is_set("stream"),
        task=TRANSLATE if translates else TRANSCRIBE,
    )


def _wanted(form: Form, *, translates: bool, diarize: bool) -> Wanted:
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
        model="" if model in (DEFAULT_MODEL, DIARIZING_MODEL) else model_of(model),
        prompt=form.one("prompt"),
        hotwords=form.all("keywords"),
        profile=form.one("profile"),
        diarize=diarize,
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
