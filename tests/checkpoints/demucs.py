"""A small HTDemucs in a model store, made by demucs' own class in the environment `demucs`.

Its voices are the sound that it is given: only the outermost layers of its time branch count, set so that
they give back what they get, and all between computes for nothing. What comes out can so be compared with
what went in, and speech stays speech. With `arranged=False` its weights are random to the last.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import envspecs
from envspecs.models.registry import MANIFEST, Manifest, StoredFile, has_model
from protocol.artefacts import describe_file, write_json
from protocol.schema import to_plain

__all__ = ["make_htdemucs", "store_files"]

_ROOT = Path(__file__).resolve().parents[2]
_SIGNATURE = "955717e8"
_BIAS = 100.0
"""GELU and sigmoid are the identity and 1 so far from zero, for sound up to 90 times its deviation."""


def make_htdemucs(
    store: Path, *, form: Literal["safetensors", "th"] = "safetensors", arranged: bool = True, seed: int = 7
) -> str:
    """Put a small model into the store, as the hub has it or as demucs' own server; return its id."""
    folder = store / "htdemucs"
    if not has_model("htdemucs", store):
        folder.mkdir(parents=True, exist_ok=True)
        wanted = {"folder": str(folder), "form": form, "arranged": arranged, "seed": seed}
        command = [envspecs.interpreter("demucs"), "-m", "tests.checkpoints.demucs", json.dumps(wanted)]
        subprocess.run(command, cwd=_ROOT, check=True)
        store_files(folder)
    return "htdemucs"


def store_files(folder: Path) -> None:
    """Write the manifest of a model's folder."""
    names = sorted(path.name for path in folder.iterdir() if path.name != MANIFEST)
    found = {name: describe_file(folder / name, name) for name in names}
    files = {name: StoredFile(sha256=artefact.sha256, size=artefact.size) for name, artefact in found.items()}
    write_json(folder / MANIFEST, to_plain(Manifest(id=folder.name, source="folder", files=files)))


def _arguments() -> dict[str, Any]:
    from fractions import Fraction

    # As htdemucs, but narrow and with one layer of its transformer.
    return {
        "sources": ["drums", "bass", "other", "vocals"],
        "channels": 8,
        "dconv_mode": 3,
        "bottom_channels": 32,
        "t_layers": 1,
        "t_heads": 2,
        "t_hidden_scale": 1.0,
        "segment": Fraction(39, 5),
        "samplerate": 44_100,
        "an_argument_of_an_older_version": True,
    }


def _arrange(model: Any) -> None:
    """Make the model's voices its input.

    A stride is four samples, so that eight channels hold what the two channels of the sound have in it.
    """
    import torch

    encoder, decoder, inner = model.tencoder[0], model.tdecoder[-1], model.tdecoder[-2]
    silent = [inner.conv_tr, model.decoder[-1].conv_tr, encoder.conv, encoder.rewrite]
    silent += [decoder.rewrite, decoder.conv_tr]
    with torch.no_grad():
        for layer in silent:
            layer.weight.zero_()
            layer.bias.zero_()
        for branch in (encoder.dconv, decoder.dconv):
            for module in branch.modules():
                if type(module).__name__ == "LayerScale":
                    module.scale.zero_()
        encoder.conv.bias.fill_(_BIAS)
        for layer, place in ((encoder.rewrite, 0), (decoder.rewrite, 1)):
            layer.weight[:8, :, place] = torch.eye(8)
            layer.bias[8:] = _BIAS
        decoder.rewrite.bias[:8] = -_BIAS
        for channel in range(2):
            for phase in range(4):
                # Both layers are padded by two samples on either side.
                encoder.conv.weight[4 * channel + phase, channel, phase + 2] = 1
                voice = 2 * model.sources.index("vocals") + channel
                decoder.conv_tr.weight[4 * channel + phase, voice, phase + 2] = 1


def _save(folder: Path, form: str, arguments: dict[str, Any], state: dict[str, Any]) -> None:
    import numpy as np
    import torch
    from demucs.htdemucs import HTDemucs
    from safetensors.torch import save_file

    if form == "th":
        # demucs.states.serialize_model; numbers of numpy are what real ones have there.
        package = {"klass": HTDemucs, "args": (), "kwargs": arguments, "state": state}
        package["training_args"] = {"lr": np.float64(3e-4)}
        torch.save(package, folder / f"{_SIGNATURE}-8726e21a.th")
        return
    segment = arguments["segment"]
    coded = {"_type": "fraction", "numerator": segment.numerator, "denominator": segment.denominator}
    about = {
        "klass": "demucs.htdemucs.HTDemucs",
        "args": "[]",
        "kwargs": json.dumps({**arguments, "segment": coded}),
    }
    save_file(state, folder / f"{_SIGNATURE}.safetensors", about)
    (folder / "htdemucs.yaml").write_text(f"models: ['{_SIGNATURE}']\n")


def _main(folder: str, form: str, arranged: bool, seed: int) -> None:
    import torch
    from demucs.htdemucs import HTDemucs

    torch.manual_seed(seed)
    arguments = _arguments()
    model = HTDemucs(**{name: argument for name, argument in arguments.items() if not name.startswith("an_")})
    if arranged:
        _arrange(model)
    # demucs keeps half precision on disk.
    state = {name: tensor.half().contiguous() for name, tensor in model.state_dict().items()}
    _save(Path(folder), form, arguments, state)


if __name__ == "__main__":
    _main(**json.loads(sys.argv[1]))
