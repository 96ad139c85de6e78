"""separate: the voices of the film, without music and noise, by demucs."""

from __future__ import annotations

import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from protocol.errors import ResourceError
from protocol.stages.separate import SeparateRequest, SeparateResult
from workers.engine import Context, Models
from workers.engines.demucs.models import Separator, load_separator
from workers.engines.demucs.pieces import choose_cut
from workers.engines.demucs.resampling import TARGET_RATE, Resampler
from workers.engines.demucs.stereo import StereoSound
from workers.engines.demucs.voices import voices
from workers.placement import Placement
from workers.torch_devices import TorchLanes, is_out_of_memory, torch_device

__all__ = ["DemucsSeparate", "resource_errors"]

_NAME = "vocals.wav"
_MEASURE_SHARE = 0.05
"""The part of a call's time that measuring takes, for progress."""
_BATCHES = {"cuda": 4}
"""htdemucs takes 0.7 GB for a segment besides its weights; on a processor two in a batch are no faster."""
_LANES = 2
"""So many batches side by side on a processor, each with 0.7 GB, as engines are not told how much memory they
may take. With more cores, each of them has more threads."""


class DemucsSeparate:
    """Takes the voices out of a film, piece by piece: memory does not grow with the film."""

    stage = "separate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries; load the model, where one is named, and put some silence through it."""
        import demucs.htdemucs  # noqa: F401 (loaded before a call needs it)
        import julius  # noqa: F401 (loaded before a call needs it)
        import safetensors  # noqa: F401 (loaded before a call needs it)
        import soundfile  # noqa: F401 (loaded before a call needs it)

        if model is not None:
            import numpy as np

            separator = load_separator(models, model, torch_device("auto"))
            _compute(separator, np.zeros((1, 2, separator.segment), dtype=np.float32))

    def run(self, request: SeparateRequest, context: Context) -> SeparateResult:
        """Write `vocals.wav`: the voices, as long as the sound and with its times.

        Raises `InputError` where the sound or the model cannot be read, `UsageError` for an option that is
        impossible or a device that the machine does not have, `MissingError` where the store does not have
        the model, `ResourceError` where memory runs out.
        """
        device = torch_device(request.device)
        with resource_errors(device), StereoSound(context.input(request.audio)) as sound:
            separator = load_separator(context.models, request.model, device)
            count = _separate(request, context, separator, sound)
        return SeparateResult(
            vocals=context.publish(_NAME),
            duration_ms=round(count * 1000 / TARGET_RATE),
            model=request.model,
            device=device,
        )


def _separate(request: SeparateRequest, context: Context, separator: Separator, sound: StereoSound) -> int:
    """Write the voices, and return the number of their samples."""
    cut = choose_cut(request, separator.segment)
    batch_size = request.batch_size or _BATCHES.get(separator.device.partition(":")[0], 1)
    loudness = sound.measure(
        lambda share: context.progress(share * _MEASURE_SHARE, "measuring the sound"),
    )
    lanes = TorchLanes(
        models=context.models,
        where=Placement(device=separator.device, compute_type="float32"),
        # A batch of one is what is asked for where memory has run out.
        most=1 if request.batch_size == 1 else _LANES,
    )

    def compute(batches: Iterable[Any], count: int) -> Iterator[Any]:
        def tick(done: int) -> None:
            share = _MEASURE_SHARE + (1 - _MEASURE_SHARE) * done / count
            context.progress(share, "separating the voices")

        return lanes.side_by_side(lambda batch, _check: _compute(separator, batch), batches, count, tick)

    return _write(context.output(_NAME), voices(sound, loudness, cut, batch_size, compute))


def _compute(separator: Separator, batch: Any) -> Any:
    """Return the voices of a batch; both are normalised float32 of the shape (pieces, 2, samples)."""
    import torch

    with torch.inference_mode():
        # HTDemucs pads what is shorter than its training segment, and returns as much as it was given.
        sources = separator.model(torch.from_numpy(batch).to(separator.device))
        return sources[:, separator.voices].float().cpu().numpy()


def _write(target: Path, blocks: Iterator[Any]) -> int:
    """Write stereo blocks of 44.1 kHz as 16 kHz mono; return the number of samples written."""
    import numpy as np

    resampler = Resampler()
    with wave.open(str(target), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(TARGET_RATE)

        def put(samples: Any) -> None:
            scaled = np.rint(samples * np.float32(32768))
            file.writeframesraw(np.clip(scaled, -32768, 32767).astype("<i2").tobytes())

        for block in blocks:
            put(resampler.feed(block.mean(axis=0)))
        put(resampler.finish())
        return file.getnframes()


@contextmanager
def resource_errors(device: str) -> Iterator[None]:
    """Raise `ResourceError` where torch runs out of memory, whichever error it raises itself."""
    try:
        yield
    except MemoryError as error:
        raise _no_memory(device) from error
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise _no_memory(device) from error


def _no_memory(device: str) -> ResourceError:
    message = f"The memory of {device} ran out while the voices were separated."
    return ResourceError(message, "Make room on the device, or: --set separate.batch_size=1")
