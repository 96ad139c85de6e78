"""Whisper in CTranslate2's format to MLX's: the same weights under other names. Standard library only.

What CTranslate2 writes is in its `specs/model_spec.py` (`ModelSpec._serialize`) and `specs/whisper_spec.py`;
what mlx-whisper reads is in its `load_models.py` and `whisper.py`.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from envspecs.models.ctranslate2 import Variable, Weights
from protocol.artefacts import write_json
from protocol.errors import InputError

__all__ = ["convert"]

_CODES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
"""CTranslate2's types as safetensors names them; integers come out as float16, which is finer."""
_ITEM_BYTES = {"F32": 4, "F16": 2, "BF16": 2, "I32": 4}
_WHOLE = (0, 1)
_CHUNK_ROWS = 1024


@dataclass(frozen=True, kw_only=True)
class _Tensor:
    """One tensor of the file to write; `blocks` are its bytes in order, little-endian and row-major."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    blocks: Callable[[], Iterable[bytes]]

    @property
    def size(self) -> int:
        return math.prod(self.shape) * _ITEM_BYTES[self.dtype]


def convert(origin: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    """Write `weights.safetensors` and `config.json` of mlx-whisper into the folder `target`.

    `origin` is the folder of a Whisper model of CTranslate2, with `model.bin` and `config.json`. float32,
    float16 and bfloat16 stay what they are. int8 and int16 are multiplied out, to float16: a model that was
    quantised stays as exact as it was, and becomes as large as one that was not.
    `progress` is called with the bytes written and those to write. Raises `InputError` where `origin` is not
    such a model.
    """
    weights = Weights(origin / "model.bin")
    tensors = [*_Whisper(weights).tensors(), *_alignment_heads(origin / "config.json")]
    weights.check_all_used()
    write_json(target / "config.json", {**_dimensions(weights), "model_type": "whisper"})
    _write(target / "weights.safetensors", tensors, progress)


def _write(path: Path, tensors: list[_Tensor], progress: Callable[[int, int], None]) -> None:
    """Write a safetensors file: the header's length (u64), the header (JSON), the tensors."""
    header: dict[str, object] = {"__metadata__": {"format": "mlx"}}
    total = 0
    for tensor in tensors:
        offsets = [total, total + tensor.size]
        header[tensor.name] = {"dtype": tensor.dtype, "shape": list(tensor.shape), "data_offsets": offsets}
        total += tensor.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    done = 0
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            for block in tensor.blocks():
                done += file.write(block)
            progress(done, total)


def _dimensions(weights: Weights) -> dict[str, int]:
    """Return mlx-whisper's `ModelDimensions`."""
    audio, text = (weights[f"{side}/position_encodings/encodings"].shape for side in ("encoder", "decoder"))
    return {
        "n_mels": weights["encoder/conv1/weight"].shape[1],
        "n_audio_ctx": audio[0],
        "n_audio_state": audio[1],
        "n_audio_head": weights.number("encoder/num_heads"),
        "n_audio_layer": weights.layers("encoder"),
        "n_vocab": weights["decoder/embeddings/weight"].shape[0],
        "n_text_ctx": text[0],
        "n_text_state": text[1],
        "n_text_head": weights.number("decoder/num_heads"),
        "n_text_layer": weights.layers("decoder"),
    }


def _alignment_heads(config: Path) -> list[_Tensor]:
    """Return the (layer, head) pairs that follow the speech; mlx-whisper guesses where there are none."""
    try:
        heads = json.loads(config.read_bytes()).get("alignment_heads") or []
        found = b"".join(struct.pack("<2i", layer, head) for layer, head in heads)
    except (OSError, ValueError, AttributeError, TypeError, struct.error) as error:
        message = f"{config} is not the configuration of a Whisper model of CTranslate2: {error}."
        raise InputError(message) from error
    if not heads:
        return []
    return [_Tensor(name="alignment_heads", dtype="I32", shape=(len(heads), 2), blocks=lambda: [found])]


@dataclass(frozen=True)
class _Whisper:
    """The tensors of MLX's Whisper, made of those of CTranslate2's."""

    weights: Weights

    def tensors(self) -> list[_Tensor]:
        self._check_sinusoids()
        self._check_projection()
        return [
            *self._convolution("encoder.conv1", "encoder/conv1"),
            *self._convolution("encoder.conv2", "encoder/conv2"),
            *self._blocks("encoder"),
            *self._norm("encoder.ln_post", "encoder/layer_norm"),
            self._rows("decoder.token_embedding.weight", "decoder/embeddings/weight"),
            self._rows("decoder.positional_embedding", "decoder/position_encodings/encodings"),
            *self._blocks("decoder"),
            *self._norm("decoder.ln", "decoder/layer_norm"),
        ]

    def _blocks(self, side: str) -> Iterator[_Tensor]:
        for number in range(self.weights.layers(side)):
            to, of = f"{side}.blocks.{number}", f"{side}/layer_{number}"
            yield from self._attention(f"{to}.attn", f"{of}/self_attention")
            if side == "decoder":
                yield from self._cross_attention(f"{to}.cross_attn", f"{of}/attention")
            yield from self._linear(f"{to}.mlp1", f"{of}/ffn/linear_0")
            yield from self._linear(f"{to}.mlp2", f"{of}/ffn/linear_1")
            yield from self._norm(f"{to}.mlp_ln", f"{of}/ffn/layer_norm")

    def _attention(self, to: str, of: str) -> Iterator[_Tensor]:
        """Query, key and value are one matrix, one above the other."""
        yield from self._linear(f"{to}.query", f"{of}/linear_0", (0, 3))
        yield from self._key(f"{to}.key", f"{of}/linear_0", (1, 3))
        yield from self._linear(f"{to}.value", f"{of}/linear_0", (2, 3))
        yield from self._linear(f"{to}.out", f"{of}/linear_1")
        yield from self._norm(f"{to}_ln", f"{of}/layer_norm")

    def _cross_attention(self, to: str, of: str) -> Iterator[_Tensor]:
        yield from self._linear(f"{to}.query", f"{of}/linear_0")
        yield from self._key(f"{to}.key", f"{of}/linear_1", (0, 2))
        yield from self._linear(f"{to}.value", f"{of}/linear_1", (1, 2))
        yield from self._linear(f"{to}.out", f"{of}/linear_2")
        yield from self._norm(f"{to}_ln", f"{of}/layer_norm")

    def _linear(self, to: str, of: str, part: tuple[int, int] = _WHOLE) -> Iterator[_Tensor]:
        yield self._rows(f"{to}.weight", f"{of}/weight", part)
        yield self._rows(f"{to}.bias", f"{of}/bias", part)

    def _key(self, to: str, of: str, part: tuple[int, int]) -> Iterator[_Tensor]:
        """Whisper's key has no bias; where it is fused with others, zeros stand in its place."""
        bias = self._rows("", f"{of}/bias", part)
        if any(b"".join(bias.blocks())):
            self.weights.refuse(f"the key of {of} has a bias, which Whisper's has not")
        yield self._rows(f"{to}.weight", f"{of}/weight", part)

    def _norm(self, to: str, of: str) -> Iterator[_Tensor]:
        yield self._rows(f"{to}.weight", f"{of}/gamma")
        yield self._rows(f"{to}.bias", f"{of}/beta")

    def _rows(self, to: str, of: str, part: tuple[int, int] = _WHOLE) -> _Tensor:
        """Return the `part[0]`-th of `part[1]` equal parts of a variable's rows."""
        variable = self.weights[of]
        rows, rest = divmod(variable.shape[0], part[1])
        if rest:
            self.weights.refuse(f"{of} has {variable.shape[0]} rows, which cannot be cut into {part[1]}")
        first = part[0] * rows
        return _Tensor(
            name=to,
            dtype=_CODES.get(variable.dtype, "F16"),
            shape=(rows, *variable.shape[1:]),
            blocks=lambda: _floats(variable, first, rows),
        )

    def _convolution(self, to: str, of: str) -> Iterator[_Tensor]:
        """CTranslate2 has (out, in, width), MLX (out, width, in)."""
        plain = self._rows(f"{to}.weight", f"{of}/weight")
        if len(plain.shape) != 3:
            self.weights.refuse(f"{of}/weight has {len(plain.shape)} dimensions instead of 3")
        out, into, width = plain.shape
        item = _ITEM_BYTES[plain.dtype]

        def blocks() -> Iterator[bytes]:
            whole = memoryview(b"".join(plain.blocks())).cast("I" if item == 4 else "H")
            for row in range(0, out * into * width, into * width):
                for step in range(width):
                    yield whole[row + step : row + into * width : width].tobytes()

        yield _Tensor(name=plain.name, dtype=plain.dtype, shape=(out, width, into), blocks=blocks)
        yield self._rows(f"{to}.bias", f"{of}/bias")

    def _check_sinusoids(self) -> None:
        """MLX computes the encoder's positions itself; refuse a model that has others."""
        variable = self.weights["encoder/position_encodings/encodings"]
        count, width = variable.shape
        for position in (1, count // 2, count - 1):
            found = _numbers(variable, position)
            # mlx_whisper/whisper.py, sinusoids; width 2 has one wave, which does not fall off.
            falls = math.log(10_000) / max(1, width // 2 - 1)
            angles = [position * math.exp(-falls * number) for number in range(width // 2)]
            meant = [*map(math.sin, angles), *map(math.cos, angles)]
            if any(abs(one - other) > 0.01 for one, other in zip(found, meant, strict=True)):
                self.weights.refuse("its encoder's positions are not Whisper's sinusoids")

    def _check_projection(self) -> None:
        """MLX writes words with the matrix that reads them; refuse a model that has another for it."""
        embeddings = self.weights["decoder/embeddings/weight"]
        projection = self.weights["decoder/projection/weight"]
        if projection.name != embeddings.name and bytes(projection.data) != bytes(embeddings.data):
            self.weights.refuse("it does not write words with the matrix that reads them")


def _floats(variable: Variable, first: int, count: int) -> Iterator[bytes]:
    """Yield rows of a variable as numbers of `_CODES`."""
    if variable.dtype in _CODES:
        for row in range(first, first + count, _CHUNK_ROWS):
            yield bytes(variable.rows(row, min(_CHUNK_ROWS, first + count - row)))
    elif variable.dtype == "int8":
        for row in range(first, first + count):
            yield _multiplied(bytes(variable.rows(row, 1)), variable.scale(row))
    else:
        for row in range(first, first + count):
            scale = variable.scale(row)
            values = [number / scale for number in variable.rows(row, 1).cast("h")]
            yield struct.pack(f"<{len(values)}e", *values)


def _multiplied(row: bytes, scale: float) -> bytes:
    """Return a row of int8 as float16: each number divided by the scale, as CTranslate2 does.

    There are 256 numbers, so each of the two bytes of every result is looked up.
    """
    table = struct.pack(
        "<256e", *((number if number < 128 else number - 256) / scale for number in range(256))
    )
    result = bytearray(2 * len(row))
    result[0::2] = row.translate(table[0::2])
    result[1::2] = row.translate(table[1::2])
    return bytes(result)


def _numbers(variable: Variable, row: int) -> list[float]:
    raw = b"".join(_floats(variable, row, 1))
    if variable.dtype == "float32":
        return list(struct.unpack(f"<{len(raw) // 4}f", raw))
    if variable.dtype == "bfloat16":
        # The upper half of a float32.
        wide = b"".join(b"\0\0" + raw[at : at + 2] for at in range(0, len(raw), 2))
        return list(struct.unpack(f"<{len(wide) // 4}f", wide))
    return list(struct.unpack(f"<{len(raw) // 2}e", raw))
