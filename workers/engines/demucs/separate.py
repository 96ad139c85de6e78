"""separate: the voices of the film, without music and noise, by demucs."""

from __future__ import annotations

from typing import Any

from protocol.stages.separate import SeparateRequest, SeparateResult
from workers.engine import Context, Models
from workers.engines.demucs.models import Separator, load_separator
from workers.placement import Placement
from workers.separation.separating import Method, resource_errors, separate
from workers.separation.stereo import StereoSound
from workers.torch_devices import TorchLanes, torch_device

__all__ = ["DemucsSeparate"]

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
            return separate(request, context, sound, _method(request, context, separator))


def _method(request: SeparateRequest, context: Context, separator: Separator) -> Method:
    return Method(
        segment=separator.segment,
        compute=lambda batch: _compute(separator, batch),
        lanes=TorchLanes(
            models=context.models,
            where=Placement(device=separator.device, compute_type="float32"),
            # A batch of one is what is asked for where memory has run out.
            most=1 if request.batch_size == 1 else _LANES,
        ),
        batch_size=request.batch_size or _BATCHES.get(separator.device.partition(":")[0], 1),
        normalises=True,
    )


def _compute(separator: Separator, batch: Any) -> Any:
    """Return the voices of a batch; both are normalised float32 of the shape (pieces, 2, samples)."""
    import torch

    with torch.inference_mode():
        # HTDemucs pads what is shorter than its training segment, and returns as much as it was given.
        sources = separator.model(torch.from_numpy(batch).to(separator.device))
        return sources[:, separator.voices].float().cpu().numpy()
