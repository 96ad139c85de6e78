"""Spleeter's two networks from the store, for torch: one finds the voices, one the rest.

The networks are the U-Nets of Spleeter's `model/functions/unet.py`; the weights have TensorFlow's names and
shapes. Each takes the loudness of frequencies over time, float32 of the shape (1, 2, frames, frequencies),
and returns that of its part.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import InputError
from workers.engine import Models
from workers.placement import Placement

__all__ = ["FRAMES", "FREQUENCIES", "SEGMENT", "TwoStems", "load_separator", "voices_of"]

FRAMES, FREQUENCIES = 512, 1024
_WINDOW, _HOP = 4096, 1024
SEGMENT = (FRAMES - 1) * _HOP
"""The samples of 44.1 kHz whose short spectra are as many as the networks were trained with: 11.9 s."""
_FILE = "weights.safetensors"
_DOWN, _UP = 6, 6
_CONVOLUTIONS, _NORMS = _DOWN + 1, _DOWN + _UP
_TENSORS = 2 * (2 * _CONVOLUTIONS + 2 * _UP + 4 * _NORMS)
_PADS = (1, 2, 1, 2)
"""How TensorFlow fills the edges of a convolution of 5 by 5 that halves an even length."""
_EPSILON = 1e-3
_SMALL = 1e-10


@dataclass(frozen=True, kw_only=True)
class TwoStems:
    """Both networks on their device."""

    networks: tuple[Any, Any]
    """Functions from loudness to loudness: of the voices, of the rest."""
    window: Any
    device: str


def load_separator(models: Models, model: str, device: str) -> TwoStems:
    """Return the model; `MissingError` where the store does not have it, `InputError` for a wrong file."""
    folder = models.path(model)
    where = Placement(device=device, compute_type="float32")

    def load() -> TwoStems:
        import torch

        weights = _read(folder / _FILE, device)
        try:
            networks = _network(weights, 0), _network(weights, 1)
        except KeyError as error:
            raise _no_model(folder / _FILE, f"{error.args[0]} is missing") from error
        return TwoStems(networks=networks, window=torch.hann_window(_WINDOW, device=device), device=device)

    separator: TwoStems = models.get(where.key("spleeter", model), load)
    return separator


def voices_of(separator: TwoStems, sound: Any) -> Any:
    """Return the voices of a sound; both float32 tensors of the shape (2, `SEGMENT`)."""
    import torch

    with torch.inference_mode():
        sound = sound.to(separator.device)
        spectrum = torch.stft(
            sound, _WINDOW, _HOP, window=separator.window, pad_mode="constant", return_complex=True
        )
        loudness = spectrum[:, :FREQUENCIES].abs().transpose(1, 2)[None]
        voices, rest = (network(loudness).square_() for network in separator.networks)
        mask = (voices + _SMALL / 2) / (voices + rest + _SMALL)
        # Above 11 kHz, of which the networks know nothing, there is nothing that a recogniser hears.
        found = torch.zeros_like(spectrum)
        found[:, :FREQUENCIES] = spectrum[:, :FREQUENCIES] * mask[0].transpose(1, 2)
        return torch.istft(found, _WINDOW, _HOP, window=separator.window, length=sound.shape[1]).cpu()


def _read(file: Path, device: str) -> dict[str, Any]:
    """Return the tensors by name, those of convolutions in torch's order."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="pt", device=device) as opened:
            found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (no mapping)
    except (SafetensorError, OSError) as error:
        raise _no_model(file, str(error)) from error
    if len(found) != _TENSORS:
        raise _no_model(file, f"it holds {len(found)} tensors, not {_TENSORS}")
    # TensorFlow has (height, width, in, out), and out before in where a convolution is transposed.
    kernels = {name for name in found if name.endswith("/kernel")}
    return {name: _to_torch(tensor) if name in kernels else tensor for name, tensor in found.items()}


def _to_torch(kernel: Any) -> Any:
    return kernel.permute(3, 2, 0, 1).contiguous()


def _network(weights: dict[str, Any], number: int) -> Any:
    """Return the network of that number; `KeyError` where a weight of it is missing."""
    downs = [_pair(weights, "conv2d", number * _CONVOLUTIONS + step) for step in range(_CONVOLUTIONS)]
    ups = [_pair(weights, "conv2d_transpose", number * _UP + step) for step in range(_UP)]
    norms = [_norm(weights, number * _NORMS + step) for step in range(_NORMS)]

    def network(loudness: Any) -> Any:
        import torch
        from torch.nn import functional

        sound, skips = loudness, []
        for step in range(_DOWN):
            skips.append(functional.conv2d(functional.pad(sound, _PADS), *downs[step], stride=2))
            # The last one goes on as it is.
            sound = functional.leaky_relu(norms[step](skips[-1]), 0.2) if step < _DOWN - 1 else skips[-1]
        skips.pop()
        for step in range(_UP):
            wide = functional.conv_transpose2d(sound, *ups[step], stride=2)
            sound = norms[_DOWN + step](functional.relu(wide[:, :, 1:-2, 1:-2]))
            sound = torch.cat([skips.pop(), sound], dim=1) if skips else sound
        return torch.sigmoid(functional.conv2d(sound, *downs[-1], dilation=2, padding=3)) * loudness

    return network


def _pair(weights: dict[str, Any], kind: str, number: int) -> tuple[Any, Any]:
    name = f"{kind}_{number}" if number else kind
    return weights[f"{name}/kernel"], weights[f"{name}/bias"]


def _norm(weights: dict[str, Any], number: int) -> Any:
    name = f"batch_normalization_{number}" if number else "batch_normalization"
    parts = ("moving_mean", "moving_variance", "gamma", "beta")
    mean, variance, gamma, beta = (weights[f"{name}/{part}"] for part in parts)

    def norm(sound: Any) -> Any:
        from torch.nn import functional

        return functional.batch_norm(sound, mean, variance, gamma, beta, eps=_EPSILON)

    return norm


def _no_model(file: Path, reason: str) -> InputError:
    message = f"{file} is no model of Spleeter's two stems: {reason}."
    return InputError(message, f"Fetch it again: python3 -m envspecs models fetch --again {file.parent.name}")
