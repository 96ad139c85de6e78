"""diarize: who speaks when, by pyannote.audio's own pipeline or by segmentation and CAM++."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocol.artefacts import write_json
from protocol.jobs.voices import VOICES, Voice, Voices
from protocol.schema import to_plain
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.timeline import Speaker
from workers.engine import Context, Models
from workers.engines.pyannote.asked import Bounds, read_speakers
from workers.engines.pyannote.clustering import cluster_voices
from workers.engines.pyannote.community import by_pipeline
from workers.engines.pyannote.found import Found, numbered, speakers_of
from workers.engines.pyannote.models import is_pipeline, load_networks, load_pipeline
from workers.engines.pyannote.stitching import stitch
from workers.engines.pyannote.windows import hear_windows
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.torch_devices import torch_device, use_given_cores

__all__ = ["PyannoteDiarize"]

_TURNS = "turns.json"
_SHORTEST = SAMPLE_RATE // 2
"""In less nobody can be told from anybody."""
_NAMELESS_MS = 10_000
"""So much speech of nobody in particular is told; a few cries are not."""


class PyannoteDiarize:
    """Tells the speakers of a film apart."""

    stage = "diarize"

    def warm(self, models: Models, model: str | None) -> None:
        """Load nothing: the default model is the one that finds speech, and few jobs ask who speaks."""

    def run(self, request: DiarizeRequest, context: Context) -> DiarizeResult:
        """Write `turns.json` and `voices.json`.

        Raises `UsageError` for speakers that are no number, or a device that the machine does not have;
        `InputError` where the sound or the model cannot be read, `MissingError` where the store does not have
        the model.
        """
        bounds = read_speakers(request.speakers)
        device = torch_device(request.device)
        with Sound(context.input(request.audio)) as sound:
            found = numbered(_found(request, bounds, context, sound, device))
        speakers = speakers_of(found.exclusive)
        voices = tuple(_voices(found, speakers))
        write_json(context.output(_TURNS), {"version": 1, "turns": to_plain(found.timeline)})
        write_json(context.output(VOICES), to_plain(Voices(model=request.model, voices=voices)))
        return DiarizeResult(
            turns=found.exclusive,
            speakers=speakers,
            timeline=context.publish(_TURNS),
            voices=context.publish(VOICES),
            model=request.model,
            device=device,
            notes=tuple(_notes(found, speakers, bounds)),
        )


def _found(request: DiarizeRequest, bounds: Bounds, context: Context, sound: Sound, device: str) -> Found:
    models = context.models

    def progress(share: float) -> None:
        use_given_cores(models)
        context.progress(share, "telling speakers apart")

    if sound.sample_count < _SHORTEST:
        return Found(timeline=(), exclusive=())
    if is_pipeline(models, request.model):
        pipeline = load_pipeline(models, request.model, device)
        return by_pipeline(pipeline, sound, bounds, request.batch_size, progress)
    networks = load_networks(models, request.model, device)
    heard = hear_windows(networks, sound, models, request.batch_size, progress)
    return stitch(heard, cluster_voices(heard, bounds))


def _voices(found: Found, speakers: tuple[Speaker, ...]) -> Iterator[Voice]:
    """Yield those who have an embedding; it is of length 1."""
    for speaker in speakers:
        vector: Any = found.embeddings.get(speaker.id, ())
        length = sum(float(number) ** 2 for number in vector) ** 0.5
        if length > 0:
            embedding = tuple(round(float(number) / length, 6) for number in vector)
            yield Voice(id=speaker.id, speech_ms=speaker.speech_ms, embedding=embedding)


def _notes(found: Found, speakers: tuple[Speaker, ...], bounds: Bounds) -> Iterator[str]:
    if len(speakers) < bounds.least:
        yield f"{bounds.least} speakers were asked for; {len(speakers) or 'none'} could be told apart."
    if found.nameless_ms >= _NAMELESS_MS:
        seconds = round(found.nameless_ms / 1000)
        yield f"{seconds} s of speech have no speaker: too short to tell, or unlike all others."
