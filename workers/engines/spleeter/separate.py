"""separate: the voices of the film over little of its music and noise, by Spleeter."""

from __future__ import annotations

from typing import Any

from protocol.stages.separate import SeparateRequest, SeparateResult
from workers.engine import Context, Models
from workers.engines.spleeter.models import SEGMENT, TwoStems, load_separator, voices_of
from workers.placement import Placement
from workers.separation.separating import Method, resource_errors, separate
from workers.separation.stereo import StereoSound
from workers.torch_devices import TorchLanes, torch_device

__all__ = ["SpleeterSeparate"]

_LANES = 4
"""So many pieces side by side on a processor, each with 0.3 GB, as engines are not told how much memory they
may take."""
_REST = 0.3
"""Of 0, 0.1, 0.2 and 0.35 of the rest under the voices, a third gave whisper-base the fewest wrong words:
Spleeter takes some of the voices away, and leaves sounds in gaps (docs/adr/0030)."""


class SpleeterSeparate:
    """Takes the voices out of a film, piece by piece: memory does not grow with the film."""

    stage = "separate"
    interruptible = True

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries; load the model, where one is named, and put some silence through it."""
        import julius  # noqa: F401 (loaded before a call needs it)
        import safetensors  # noqa: F401 (loaded before a call needs it)
        import soundfile  # noqa: F401 (loaded before a call needs it)

        if model is not None:
            import torch

            voices_of(load_separator(models, model, torch_device("auto")), torch.zeros(2, SEGMENT))

    def run(self, request: SeparateRequest, context: Context) -> SeparateResult:
        """Write `vocals.wav`: the voices over a third of the rest, as long as the sound and with its times.

        Raises `InputError` where the sound or the model cannot be read, `UsageError` for an option that is
        impossible or a device that the machine does not have, `MissingError` where the store does not have
        the model, `ResourceError` where memory runs out.
        """
        device = torch_device(request.device)
        with resource_errors(device), StereoSound(context.input(request.audio)) as sound:
            separator = load_separator(context.models, request.model, device)
            return separate(request, context, sound, _method(request, context, separator))


def _method(request: SeparateRequest, context: Context, separator: TwoStems) -> Method:
    return Method(
        segment=SEGMENT,
        compute=lambda batch: _compute(separator, batch),
        lanes=TorchLanes(
            models=context.models,
            where=Placement(device=separator.device, compute_type="float32"),
            # A batch of one is what is asked for where memory has run out.
            most=1 if request.batch_size == 1 else _LANES,
        ),
        # The networks take one piece at a time: its two channels are a batch in themselves.
        batch_size=1,
        normalises=False,
        rest=_REST,
    )


def _compute(separator: TwoStems, batch: Any) -> Any:
    """Return the voices of pieces; both are float32 of the shape (pieces, 2, samples)."""
    import numpy as np
    import torch

    whole = torch.from_numpy(batch)
    short = SEGMENT - whole.shape[2]
    pieces = torch.nn.functional.pad(whole, (0, short)) if short else whole
    found = [voices_of(separator, piece)[:, : whole.shape[2]].numpy() for piece in pieces]
    return np.stack(found)
