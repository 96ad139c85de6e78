from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import pytest

from envspecs.models.convert import convert
from envspecs.models.fetch import fetch
from envspecs.models.registry import Model, Source, read_manifest, read_registry
from protocol.errors import InputError, MissingError, SchemaError

WIDTH, MELS, CONTEXT, VOCABULARY, TEXT = 4, 2, 6, 5, 3
NUMBERS = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4, "bfloat16": 5}
ITEMS = {"F32": ("f", 4), "F16": ("e", 2), "I32": ("i", 4)}
HEADS = [[0, 1], [0, 0]]


def sinusoids() -> list[float]:
    rows = []
    for position in range(CONTEXT):
        angles = [position * math.exp(-math.log(10_000) * number) for number in range(WIDTH // 2)]
        rows += [*map(math.sin, angles), *map(math.cos, angles)]
    return rows


def plain(variables: dict[str, Any], name: str, *shape: int, zeros: range = range(0)) -> None:
    """Add a variable of small whole numbers, each at its own place."""
    count = math.prod(shape)
    values = [float((len(variables) * 7 + number) % 90 - 45) for number in range(count)]
    variables[name] = (shape, [0.0 if index in zeros else value for index, value in enumerate(values)])


def whisper() -> dict[str, Any]:
    """Return a Whisper of one layer: name to (shape, values)."""
    made: dict[str, Any] = {}
    plain(made, "encoder/conv1/weight", WIDTH, MELS, 3)
    plain(made, "encoder/conv1/bias", WIDTH)
    plain(made, "encoder/conv2/weight", WIDTH, WIDTH, 3)
    plain(made, "encoder/conv2/bias", WIDTH)
    made["encoder/position_encodings/encodings"] = ((CONTEXT, WIDTH), sinusoids())
    plain(made, "decoder/embeddings/weight", VOCABULARY, WIDTH)
    plain(made, "decoder/position_encodings/encodings", TEXT, WIDTH)
    for side in ("encoder", "decoder"):
        layer = f"{side}/layer_0"
        key = range(WIDTH, 2 * WIDTH)
        plain(made, f"{layer}/self_attention/linear_0/weight", 3 * WIDTH, WIDTH)
        plain(made, f"{layer}/self_attention/linear_0/bias", 3 * WIDTH, zeros=key)
        linears = [("self_attention/linear_1", WIDTH, WIDTH), ("ffn/linear_0", 4 * WIDTH, WIDTH)]
        linears += [("ffn/linear_1", WIDTH, 4 * WIDTH)]
        norms = ["self_attention/layer_norm", "ffn/layer_norm"]
        if side == "decoder":
            linears += [("attention/linear_0", WIDTH, WIDTH), ("attention/linear_2", WIDTH, WIDTH)]
            norms += ["attention/layer_norm"]
            plain(made, f"{layer}/attention/linear_1/weight", 2 * WIDTH, WIDTH)
            plain(made, f"{layer}/attention/linear_1/bias", 2 * WIDTH, zeros=range(WIDTH))
        for name, out, into in linears:
            plain(made, f"{layer}/{name}/weight", out, into)
            plain(made, f"{layer}/{name}/bias", out)
        for name in [*(f"{layer}/{norm}" for norm in norms), f"{side}/layer_norm"]:
            plain(made, f"{name}/gamma", WIDTH)
            plain(made, f"{name}/beta", WIDTH)
    return made


def is_quantised(name: str) -> bool:
    """Matrices are; biases, norms and positions are not (CTranslate2's `model_spec.py`)."""
    return name.endswith("/weight")


def packed(dtype: str, values: list[float]) -> bytes:
    if dtype == "bfloat16":
        return b"".join(struct.pack("<f", value)[2:] for value in values)
    form = {"float32": "f", "float16": "e", "int8": "b", "int16": "h", "int32": "i"}[dtype]
    numbers = values if form in "fe" else map(round, values)
    return struct.pack(f"<{len(values)}{form}", *numbers)


def string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def variable(name: str, shape: tuple[int, ...], dtype: str, values: list[float]) -> bytes:
    data = packed(dtype, values)
    head = string(name) + struct.pack(f"<B{len(shape)}I", len(shape), *shape)
    return head + struct.pack("<BI", NUMBERS[dtype], len(data)) + data


def stored(name: str, shape: tuple[int, ...], values: list[float], dtype: str) -> list[bytes]:
    """Return a variable as CTranslate2 stores it; int8 with a scale for each row, int16 with one for all."""
    if dtype not in ("int8", "int16") or not is_quantised(name):
        return [variable(name, shape, "float32" if dtype in ("int8", "int16") else dtype, values)]
    most = 127 if dtype == "int8" else 1024
    width = len(values) // shape[0] if dtype == "int8" else len(values)
    rows = [values[at : at + width] for at in range(0, len(values), width)]
    scales = [most / (max(map(abs, row)) or most) for row in rows]
    numbers = [number * scale for row, scale in zip(rows, scales, strict=True) for number in row]
    scale_shape = (shape[0],) if dtype == "int8" else ()
    return [variable(name, shape, dtype, numbers), variable(f"{name}_scale", scale_shape, "float32", scales)]


@pytest.fixture
def origin(tmp_path: Path) -> Any:
    """Return a function that writes a folder as CTranslate2 does."""
    folder = tmp_path / "ct2"
    folder.mkdir()

    def write(
        made: dict[str, Any],
        dtype: str = "float32",
        *,
        version: int = 6,
        name: str = "WhisperSpec",
        aliases: tuple[tuple[str, str], ...] = (("decoder/projection/weight", "decoder/embeddings/weight"),),
    ) -> Path:
        found = [
            record for key, (shape, values) in made.items() for record in stored(key, shape, values, dtype)
        ]
        found += [variable(f"{side}/num_heads", (), "int16", [2.0]) for side in ("encoder", "decoder")]
        found += [variable("decoder/scale_embeddings", (), "int8", [0.0])]
        data = struct.pack("<I", version) + string(name) + struct.pack("<II", 3, len(found)) + b"".join(found)
        data += struct.pack("<I", len(aliases)) + b"".join(
            string(alias) for pair in aliases for alias in pair
        )
        (folder / "model.bin").write_bytes(data)
        (folder / "config.json").write_text(json.dumps({"alignment_heads": HEADS, "lang_ids": [1]}))
        return folder

    return write


def read(folder: Path) -> dict[str, tuple[list[int], str, list[float]]]:
    """Read a safetensors file by its specification: name to (shape, type, values)."""
    data = (folder / "weights.safetensors").read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    assert header.pop("__metadata__") == {"format": "mlx"}
    assert 8 + length + max(tensor["data_offsets"][1] for tensor in header.values()) == len(data)
    found = {}
    for name, tensor in header.items():
        low, high = (8 + length + at for at in tensor["data_offsets"])
        if tensor["dtype"] == "BF16":
            wide = b"".join(b"\0\0" + data[at : at + 2] for at in range(low, high, 2))
            values = struct.unpack(f"<{(high - low) // 2}f", wide)
        else:
            form, size = ITEMS[tensor["dtype"]]
            values = struct.unpack(f"<{(high - low) // size}{form}", data[low:high])
        assert len(values) == math.prod(tensor["shape"])
        found[name] = (tensor["shape"], tensor["dtype"], list(values))
    return found


def converted(folder: Path, target: Path) -> dict[str, tuple[list[int], str, list[float]]]:
    target.mkdir(exist_ok=True)
    convert(folder, target, lambda _done, _total: None)
    return read(target)


@pytest.mark.parametrize(
    ("dtype", "matrix", "vector", "off"),
    [
        ("float32", "F32", "F32", 0.0),
        ("float16", "F16", "F16", 0.0),
        ("bfloat16", "BF16", "BF16", 0.0),
        ("int8", "F16", "F32", 0.2),
        ("int16", "F16", "F32", 0.05),
    ],
)
def test_every_weight_comes_out_under_its_name_in_mlx(
    origin: Any, tmp_path: Path, dtype: str, matrix: str, vector: str, off: float
) -> None:
    made = whisper()
    found = converted(origin(made, dtype), tmp_path / "mlx")
    layer = "decoder/layer_0"
    for name, of, first, count in [
        ("decoder.token_embedding.weight", "decoder/embeddings/weight", 0, VOCABULARY),
        ("decoder.positional_embedding", "decoder/position_encodings/encodings", 0, TEXT),
        ("decoder.blocks.0.attn.query.weight", f"{layer}/self_attention/linear_0/weight", 0, WIDTH),
        ("decoder.blocks.0.attn.key.weight", f"{layer}/self_attention/linear_0/weight", WIDTH, WIDTH),
        ("decoder.blocks.0.attn.value.weight", f"{layer}/self_attention/linear_0/weight", 2 * WIDTH, WIDTH),
        ("decoder.blocks.0.attn.out.weight", f"{layer}/self_attention/linear_1/weight", 0, WIDTH),
        ("decoder.blocks.0.cross_attn.query.weight", f"{layer}/attention/linear_0/weight", 0, WIDTH),
        ("decoder.blocks.0.cross_attn.key.weight", f"{layer}/attention/linear_1/weight", 0, WIDTH),
        ("decoder.blocks.0.cross_attn.value.weight", f"{layer}/attention/linear_1/weight", WIDTH, WIDTH),
        ("decoder.blocks.0.cross_attn.out.weight", f"{layer}/attention/linear_2/weight", 0, WIDTH),
        ("encoder.blocks.0.mlp1.weight", "encoder/layer_0/ffn/linear_0/weight", 0, 4 * WIDTH),
        ("encoder.blocks.0.mlp2.weight", "encoder/layer_0/ffn/linear_1/weight", 0, WIDTH),
    ]:
        shape, values = made[of]
        width = len(values) // shape[0]
        assert found[name][0] == [count, *shape[1:]], name
        meant = values[first * width : (first + count) * width]
        assert found[name][2] == pytest.approx(meant, abs=off), name
        assert found[name][1] == (matrix if is_quantised(of) else vector), name


def test_biases_and_norms_come_out_and_the_key_has_none(origin: Any, tmp_path: Path) -> None:
    made = whisper()
    found = converted(origin(made), tmp_path / "mlx")
    bias = made["decoder/layer_0/attention/linear_1/bias"][1]
    assert found["decoder.blocks.0.cross_attn.value.bias"][2] == bias[WIDTH:]
    bias = made["encoder/layer_0/self_attention/linear_0/bias"][1]
    assert found["encoder.blocks.0.attn.query.bias"][2] == bias[:WIDTH]
    assert not any(name.endswith("key.bias") for name in found)
    for name, of in [
        ("encoder.blocks.0.attn_ln", "encoder/layer_0/self_attention/layer_norm"),
        ("decoder.blocks.0.cross_attn_ln", "decoder/layer_0/attention/layer_norm"),
        ("decoder.blocks.0.mlp_ln", "decoder/layer_0/ffn/layer_norm"),
        ("encoder.ln_post", "encoder/layer_norm"),
        ("decoder.ln", "decoder/layer_norm"),
    ]:
        assert found[f"{name}.weight"][2] == made[f"{of}/gamma"][1]
        assert found[f"{name}.bias"][2] == made[f"{of}/beta"][1]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_convolutions_have_their_width_before_their_inputs(origin: Any, tmp_path: Path, dtype: str) -> None:
    made = whisper()
    found = converted(origin(made, dtype), tmp_path / "mlx")
    values = made["encoder/conv1/weight"][1]
    shape, _, turned = found["encoder.conv1.weight"]
    assert shape == [WIDTH, 3, MELS]
    meant = [
        values[(out * MELS + into) * 3 + at]
        for out in range(WIDTH)
        for at in range(3)
        for into in range(MELS)
    ]
    assert turned == pytest.approx(meant, abs=0.2 if dtype == "int8" else 0.0)


def test_the_configuration_is_mlx_whispers_own_and_the_heads_are_with_the_weights(
    origin: Any, tmp_path: Path
) -> None:
    found = converted(origin(whisper()), tmp_path / "mlx")
    assert json.loads((tmp_path / "mlx" / "config.json").read_text()) == {
        "n_mels": MELS,
        "n_audio_ctx": CONTEXT,
        "n_audio_state": WIDTH,
        "n_audio_head": 2,
        "n_audio_layer": 1,
        "n_vocab": VOCABULARY,
        "n_text_ctx": TEXT,
        "n_text_state": WIDTH,
        "n_text_head": 2,
        "n_text_layer": 1,
        "model_type": "whisper",
    }
    assert found["alignment_heads"] == ([2, 2], "I32", [0, 1, 0, 0])


def test_a_projection_of_its_own_that_is_the_embedding_again_is_taken(origin: Any, tmp_path: Path) -> None:
    made = whisper()
    made["decoder/projection/weight"] = made["decoder/embeddings/weight"]
    assert "decoder.token_embedding.weight" in converted(origin(made, aliases=()), tmp_path / "mlx")


def refused(origin: Any, tmp_path: Path, made: dict[str, Any], **options: Any) -> str:
    with pytest.raises(InputError) as error:
        converted(origin(made, **options), tmp_path / "mlx")
    assert not (tmp_path / "mlx" / "weights.safetensors").exists()
    return error.value.message


def test_what_is_more_than_whisper_or_less_is_refused_by_name(origin: Any, tmp_path: Path) -> None:
    more = whisper()
    plain(more, "decoder/layer_0/adapter/weight", WIDTH, WIDTH)
    assert "it has decoder/layer_0/adapter/weight" in refused(origin, tmp_path, more)
    less = whisper()
    del less["decoder/layer_0/ffn/linear_1/bias"]
    assert "it has no decoder/layer_0/ffn/linear_1/bias" in refused(origin, tmp_path, less)


def test_what_mlx_would_compute_otherwise_is_refused(origin: Any, tmp_path: Path) -> None:
    other = whisper()
    other["encoder/position_encodings/encodings"] = ((CONTEXT, WIDTH), [0.5] * CONTEXT * WIDTH)
    assert "sinusoids" in refused(origin, tmp_path, other)
    biased = whisper()
    plain(biased, "encoder/layer_0/self_attention/linear_0/bias", 3 * WIDTH)
    assert "the key of encoder/layer_0/self_attention/linear_0 has a bias" in refused(
        origin, tmp_path, biased
    )
    untied = whisper()
    plain(untied, "decoder/projection/weight", VOCABULARY, WIDTH)
    assert "matrix that reads them" in refused(origin, tmp_path, untied, aliases=())


def test_another_version_and_another_model_are_refused(origin: Any, tmp_path: Path) -> None:
    assert "version 7" in refused(origin, tmp_path, whisper(), version=7)
    assert "TransformerSpec" in refused(origin, tmp_path, whisper(), name="TransformerSpec")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_ends_early_is_refused(origin: Any, tmp_path: Path, share: float) -> None:
    folder = origin(whisper())
    data = (folder / "model.bin").read_bytes()
    (folder / "model.bin").write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="cannot be read to its end"):
        converted(folder, tmp_path / "mlx")


def a_model(identity: str, kind: str, *sources: Source, needs: tuple[str, ...]) -> Model:
    return Model(
        id=identity, kind=kind, licence="MIT", description="d", size_bytes=1, sources=sources, needs=needs
    )


@pytest.fixture
def registry(origin: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Model]:
    """A model that is had from a folder, and one made of it."""
    folder = origin(whisper())
    folder.rename(tmp_path / "w")
    monkeypatch.setenv("CPW_MODEL_SOURCES", str(tmp_path))
    return {
        "w": a_model("w", "whisper-ct2", Source(kind="folder"), needs=("model.bin",)),
        "w-mlx": a_model("w-mlx", "whisper-mlx", Source(kind="converted", of="w"), needs=("config.json",)),
    }


def test_a_model_is_converted_from_another_that_is_fetched_first(
    home: Any, report: Any, tmp_path: Path, registry: dict[str, Model]
) -> None:
    store = tmp_path / "store"
    folder = fetch("w-mlx", report, store=store, registry=registry)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert manifest.source == "converted w"
    assert set(manifest.files) == {"config.json", "weights.safetensors"}
    assert (store / "w" / "model.bin").is_file()
    assert "decoder.ln.weight" in read(folder)
    assert fetch("w-mlx", report, store=store, registry=registry, again=True) == folder


def test_a_model_that_has_changed_in_the_store_is_not_converted(
    home: Any, report: Any, tmp_path: Path, registry: dict[str, Model]
) -> None:
    store = tmp_path / "store"
    path = fetch("w", report, store=store, registry=registry) / "model.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="has changed"):
        fetch("w-mlx", report, store=store, registry=registry)


def test_where_the_other_cannot_be_had_the_next_source_is_tried(
    home: Any, report: Any, tmp_path: Path, registry: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPW_MODEL_SOURCES", str(tmp_path / "elsewhere"))
    with pytest.raises(MissingError, match="converted w: The model w cannot be fetched"):
        fetch("w-mlx", report, store=tmp_path / "store", registry=registry)


@pytest.mark.parametrize("of", ["", "nothing", "n"])
def test_a_registry_that_converts_what_cannot_be_is_refused(tmp_path: Path, of: str) -> None:
    entry = (
        '[[models]]\nid = "{}"\nkind = "{}"\nlicence = "x"\ndescription = "d"\nsize_bytes = 1\nneeds = []\n'
    )
    file = tmp_path / "models.toml"
    file.write_text(
        entry.format("n", "nllb")
        + '[[models.sources]]\nkind = "folder"\n'
        + entry.format("m", "whisper-mlx")
        + f'[[models.sources]]\nkind = "converted"\nof = "{of}"\n'
    )
    with pytest.raises(SchemaError) as refused_by:
        read_registry(file)
    assert refused_by.value.path == "models.toml.models[1].sources[0].of"
