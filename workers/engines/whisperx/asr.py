"""asr: Whisper, through CTranslate2, writes the speech that the stage vad or whisperx's own VAD finds."""

from __future__ import annotations

from collections.abc import Iterable

from protocol.stages.asr import AsrRequest, AsrResult
from protocol.timeline import Segment, Span
from workers.engine import Context, Models
from workers.engines.whisperx.encoding import EncodedFilm
from workers.engines.whisperx.models import batch_size_of, choose_placement, load_vad, load_whisper, warm_up
from workers.engines.whisperx.recognising import WhisperxRecogniser
from workers.engines.whisperx.voice import find_speech
from workers.placement import Placement
from workers.speech.fitting import fit
from workers.speech.recognising import publish_film, recognise_film, segment_of, telling
from workers.speech.sound import Sound
from workers.speech.voice_activity import SpeechRule
from workers.speech.whisper import LONGEST_MS, Heard
from workers.torch_devices import sharing_cores

__all__ = ["WhisperxAsr"]

_VAD_SHARE = 0.15
"""The part of a call's time that VAD takes where the stage vad has not done it, for progress."""


class WhisperxAsr:
    """Recognises speech."""

    stage = "asr"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, load the model and put some silence through it.

        VAD is not loaded: a job with the stage vad does not need it, and it loads within half a second.
        """
        if model is not None:
            warm_up(load_whisper(models, model, choose_placement("auto", "auto")))

    def run(self, request: AsrRequest, context: Context) -> AsrResult:
        """Write `segments.json`: one segment for each chunk of speech, without words.

        Without speech there is no segment, and the language is `und`. Raises `InputError` where the sound
        cannot be read or the model does not know the language, `MissingError` where the store does not have
        the model, `UsageError` for a device that the machine does not have.
        """
        where = choose_placement(request.device, request.compute_type)
        whisper = load_whisper(context.models, request.model, where)

        begun = 0.0 if request.speech is not None else _VAD_SHARE

        def progress(share: float, note: str) -> None:
            context.progress(begun + share * (1 - begun), note)

        with Sound(context.input(request.audio)) as sound:
            spoken = _spoken(request, context, sound, where)
            film = EncodedFilm(whisper=whisper, sound=sound, film=request.audio.sha256)
            recogniser = WhisperxRecogniser(film=film, batch_size=batch_size_of(request.batch_size, where))
            with telling(context, _describe) as describe:
                recognised = recognise_film(request, recogniser, spoken, describe, progress, has_peaks=True)
        return publish_film(request, context, "whisperx", where, recognised)


def _spoken(request: AsrRequest, context: Context, sound: Sound, where: Placement) -> tuple[Span, ...]:
    """Return the speech that the stage vad found; in a job without that stage, find it here."""
    limit_ms = min(request.chunk_ms, LONGEST_MS)
    if request.speech is not None:
        return fit(request.speech, sound, limit_ms)
    rule = SpeechRule(onset=request.vad_onset, offset=request.vad_offset, max_speech_ms=limit_ms)
    return find_speech(
        load_vad(context.models, where),
        sound,
        rule,
        sharing_cores(context.models, lambda share: context.progress(share * _VAD_SHARE, "finding speech")),
    )


def _describe(heard: Heard, _language: str) -> tuple[Segment, Iterable[Span]]:
    """Return the chunk as a segment; its words come with the stage align."""
    return segment_of(heard), heard.chunk.spans
