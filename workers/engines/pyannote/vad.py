"""vad: when somebody speaks, by pyannote's segmentation model or by silero."""

from __future__ import annotations

from protocol.artefacts import write_json
from protocol.errors import UsageError
from protocol.schema import to_plain
from protocol.stages.vad import VadRequest, VadResult
from workers.engine import Context, Models
from workers.engines.pyannote.models import SILERO, load_segmentation, load_silero
from workers.engines.pyannote.scoring import by_pyannote, by_silero
from workers.speech.inference import usual_batch_size
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.voice_activity import Scores, SpeechRule, speech_in
from workers.torch_devices import torch_device, use_given_cores

__all__ = ["PyannoteVad", "refuse_unfit", "rule_of"]

_PYANNOTE = "pyannote"
_SEGMENTS = "speech_segments.json"
_SHORTEST = SAMPLE_RATE // 10
"""No word is shorter, and pyannote's model needs some sound."""


class PyannoteVad:
    """Finds when somebody speaks, not who speaks."""

    stage = "vad"

    def warm(self, models: Models, model: str | None) -> None:
        """Import pyannote.audio, load the checkpoint and put some silence through it."""
        import torch

        if model is not None:
            inference = load_segmentation(models, model, torch_device("auto"))
            inference({"waveform": torch.zeros(1, 6 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE})

    def run(self, request: VadRequest, context: Context) -> VadResult:
        """Write `speech_segments.json`.

        Raises `UsageError` for an unknown method, an impossible threshold, or a device that the machine does
        not have; `InputError` where the sound cannot be read, `MissingError` where the store does not have
        the model.
        """
        refuse_unfit(request)
        device = "cpu" if request.method == SILERO else torch_device(request.device)
        with Sound(context.input(request.audio)) as sound:
            scores = _scores(request, context, sound, device)
        speech = speech_in(scores, rule_of(request))
        write_json(context.output(_SEGMENTS), {"version": 1, "speech": to_plain(speech)})
        return VadResult(
            segments=context.publish(_SEGMENTS),
            speech=speech,
            speech_ms=sum(span.end_ms - span.start_ms for span in speech),
            method=request.method,
            device=device,
        )


def refuse_unfit(request: VadRequest) -> None:
    """Raise `UsageError` for an unknown method, or thresholds that no score could pass."""
    if request.method not in {_PYANNOTE, SILERO}:
        message = f"{request.method!r} is not a method of finding speech."
        raise UsageError(message, f"Write {_PYANNOTE} or {SILERO}.")
    if not 0 <= request.offset <= request.onset < 1:
        message = f"An onset of {request.onset:g} and an offset of {request.offset:g} do not go together."
        raise UsageError(message, "The offset is 0 or more, the onset is at least the offset and under 1.")


def rule_of(request: VadRequest) -> SpeechRule:
    """Return what counts as speech; times under 0 are 0."""
    return SpeechRule(
        onset=request.onset,
        offset=request.offset,
        min_silence_ms=max(0, request.min_silence_ms),
        min_speech_ms=max(0, request.min_speech_ms),
        pad_ms=max(0, request.pad_ms),
        max_speech_ms=max(0, request.max_speech_ms),
    )


def _scores(request: VadRequest, context: Context, sound: Sound, device: str) -> Scores:
    def progress(share: float) -> None:
        use_given_cores(context.models)
        context.progress(share, "finding speech")

    if sound.sample_count < _SHORTEST:
        return Scores(values=(), first_ms=0.0, step_ms=1.0, duration_ms=sound.duration_ms)
    if request.method == SILERO:
        return by_silero(load_silero(context.models), sound, progress)
    inference = load_segmentation(context.models, request.model, device)
    inference.batch_size = request.batch_size or usual_batch_size(inference, context.models)
    return by_pyannote(inference, sound, progress)
