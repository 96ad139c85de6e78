"""CAM++: from the sound of one voice to 192 numbers that tell it from others.

The network is that of Wang, Zheng and others, "CAM++: A Fast and Efficient Network for Speaker Verification
Using Context-Aware Masking" (https://arxiv.org/abs/2303.00332). Layers, features and the names of the weights
are those of 3D-Speaker (https://github.com/modelscope/3D-Speaker, Apache-2.0), whose checkpoint
`speech_campplus_sv_zh_en_16k-common_advanced` this reads; it was trained on Chinese and English.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["EMBEDDING", "FEATURE_MS", "Campplus", "features_of", "names_of_weights"]

EMBEDDING = 192
"""So many numbers are an embedding."""
FEATURE_MS = 10
"""From one row of features to the next; each looks at 25 ms."""
_MELS = 80
_BLOCKS = ((12, 1), (24, 2), (16, 2))
"""How many layers each block has, and how far apart the three frames are that its convolutions look at."""
_SEGMENT = 100
"""Frames over which a layer's mask looks for its context, beside that of the whole sound."""
_EPSILON = 1e-5


def features_of(samples: Any) -> Any:
    """Return the loudness of 80 bands in decibels of a kind, float32 tensor of the shape (rows, 80).

    `samples` are float32 in -1 to 1, at 16 kHz, 400 or more. The first row is for 0 to 25 ms.
    """
    import torch
    from torchaudio.compliance import kaldi

    sound = torch.from_numpy(samples).unsqueeze(0)
    return kaldi.fbank(sound, num_mel_bins=_MELS, sample_frequency=16_000, dither=0.0)


def names_of_weights() -> frozenset[str]:
    """Return the names that the checkpoint must have, no more and no fewer."""
    found = {f"xvector.dense.nonlinear.batchnorm.{part}" for part in ("running_mean", "running_var")}
    found |= {"xvector.dense.nonlinear.batchnorm.num_batches_tracked", "xvector.dense.linear.weight"}
    for norm in _norms():
        parts = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        found |= {f"{norm}.{part}" for part in parts}
    for convolution in _convolutions():
        found.add(f"{convolution}.weight")
    for layer in _layers():
        found |= {f"{layer}.cam_layer.linear{number}.bias" for number in (1, 2)}
    return frozenset(found)


def _layers() -> Iterator[str]:
    for block, (layers, _) in enumerate(_BLOCKS, 1):
        yield from (f"xvector.block{block}.tdnnd{layer}" for layer in range(1, layers + 1))


def _residuals() -> Iterator[str]:
    yield from (f"head.layer{layer}.{step}" for layer in (1, 2) for step in (0, 1))


def _norms() -> Iterator[str]:
    yield from ("head.bn1", "head.bn2", "xvector.tdnn.nonlinear.batchnorm", "xvector.out_nonlinear.batchnorm")
    yield from (f"{residual}.bn{number}" for residual in _residuals() for number in (1, 2))
    yield from (f"head.layer{layer}.0.shortcut.1" for layer in (1, 2))
    yield from (f"xvector.transit{block}.nonlinear.batchnorm" for block in (1, 2, 3))
    yield from (f"{layer}.nonlinear{number}.batchnorm" for layer in _layers() for number in (1, 2))


def _convolutions() -> Iterator[str]:
    yield from ("head.conv1", "head.conv2", "xvector.tdnn.linear")
    yield from (f"{residual}.conv{number}" for residual in _residuals() for number in (1, 2))
    yield from (f"head.layer{layer}.0.shortcut.0" for layer in (1, 2))
    yield from (f"xvector.transit{block}.linear" for block in (1, 2, 3))
    parts = ("linear1", "cam_layer.linear_local", "cam_layer.linear1", "cam_layer.linear2")
    yield from (f"{layer}.{part}" for layer in _layers() for part in parts)


@dataclass(frozen=True, kw_only=True)
class Campplus:
    """The network on its device; every thread may use it."""

    weights: Mapping[str, Any]
    """Tensors by the names of `names_of_weights`."""
    device: str

    def embed(self, features: Any) -> Any:
        """Return the embedding of one voice: float32 array of the shape (192,), of length 1.

        `features` are rows of `features_of` in which one voice speaks alone, two or more.
        """
        import torch

        with torch.inference_mode():
            rows = features.to(self.device)
            # What a microphone and a room add to all rows says nothing of the voice.
            heard = (rows - rows.mean(dim=0)).T.unsqueeze(0)
            frames = self._frames(self._head(heard))
            pooled = torch.cat([frames.mean(dim=-1), frames.std(dim=-1)], dim=-1)
            found = self._convolve("xvector.dense.linear", pooled.unsqueeze(-1))
            found = self._normalise("xvector.dense.nonlinear.batchnorm", found)[0, :, 0]
            return torch.nn.functional.normalize(found, dim=0).cpu().numpy()

    def _head(self, features: Any) -> Any:
        """Look at frequencies and time at once: (1, 80, rows) to (1, 320, rows)."""
        image = self._relu("head.bn1", self._convolve_image("head.conv1", features.unsqueeze(1), 1, 1))
        for layer in (1, 2):
            image = self._residual(f"head.layer{layer}.0", image, stride=2)
            image = self._residual(f"head.layer{layer}.1", image, stride=1)
        image = self._convolve_image("head.conv2", image, 2, 1)
        return self._relu("head.bn2", image).flatten(1, 2)

    def _residual(self, name: str, image: Any, *, stride: int) -> Any:
        inner = self._relu(f"{name}.bn1", self._convolve_image(f"{name}.conv1", image, stride, 1))
        inner = self._normalise(f"{name}.bn2", self._convolve_image(f"{name}.conv2", inner, 1, 1))
        if stride > 1:
            image = self._convolve_image(f"{name}.shortcut.0", image, stride, 0)
            image = self._normalise(f"{name}.shortcut.1", image)
        return (inner + image).relu_()

    def _frames(self, heard: Any) -> Any:
        """Return what the network knows at each moment, (1, 512, frames); a frame is two rows."""
        import torch

        heard = self._convolve("xvector.tdnn.linear", heard, stride=2, padding=2)
        heard = self._relu("xvector.tdnn.nonlinear.batchnorm", heard)
        for block, (layers, dilation) in enumerate(_BLOCKS, 1):
            for layer in range(1, layers + 1):
                found = self._layer(f"xvector.block{block}.tdnnd{layer}", heard, dilation)
                heard = torch.cat([heard, found], dim=1)
            transit = f"xvector.transit{block}"
            heard = self._convolve(f"{transit}.linear", self._relu(f"{transit}.nonlinear.batchnorm", heard))
        return self._relu("xvector.out_nonlinear.batchnorm", heard)

    def _layer(self, name: str, heard: Any, dilation: int) -> Any:
        """Return 32 new channels, each masked by what is said before and after."""
        inner = self._convolve(f"{name}.linear1", self._relu(f"{name}.nonlinear1.batchnorm", heard))
        inner = self._relu(f"{name}.nonlinear2.batchnorm", inner)
        found = self._convolve(f"{name}.cam_layer.linear_local", inner, padding=dilation, dilation=dilation)
        context = inner.mean(dim=-1, keepdim=True) + _means_of_segments(inner)
        mask = self._convolve(f"{name}.cam_layer.linear1", context).relu_()
        return found * self._convolve(f"{name}.cam_layer.linear2", mask).sigmoid_()

    def _convolve(self, name: str, heard: Any, stride: int = 1, padding: int = 0, dilation: int = 1) -> Any:
        from torch.nn import functional

        weight, bias = self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias")
        return functional.conv1d(heard, weight, bias, stride, padding, dilation)

    def _convolve_image(self, name: str, image: Any, stride: int, padding: int) -> Any:
        from torch.nn import functional

        return functional.conv2d(image, self.weights[f"{name}.weight"], None, (stride, 1), padding)

    def _relu(self, name: str, heard: Any) -> Any:
        return self._normalise(name, heard).relu_()

    def _normalise(self, name: str, heard: Any) -> Any:
        from torch.nn import functional

        mean, variance = self.weights[f"{name}.running_mean"], self.weights[f"{name}.running_var"]
        scale, shift = self.weights.get(f"{name}.weight"), self.weights.get(f"{name}.bias")
        return functional.batch_norm(heard, mean, variance, scale, shift, eps=_EPSILON)


def _means_of_segments(heard: Any) -> Any:
    """Return at each frame the mean of the hundred frames that it is in, counted from the start."""
    from torch.nn import functional

    means = functional.avg_pool1d(heard, _SEGMENT, _SEGMENT, ceil_mode=True)
    return means.repeat_interleave(_SEGMENT, dim=-1)[..., : heard.shape[-1]]
