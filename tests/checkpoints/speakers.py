"""A pipeline in the form of pyannote's community-1, of the parts that are at hand.

Run by the environment's own Python: `python tests/checkpoints/speakers.py SEGMENTATION FOLDER`. The
segmentation is the real one. The embedding is a small network of pyannote.audio's with weights by chance, and
what stands for the PLDA turns nothing: so it tells voices apart badly, but by the same code.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

_CONFIG = """
dependencies: {pyannote.audio: 4.0.0}
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 8
    embedding: $model/embedding
    embedding_batch_size: 8
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering: {threshold: 0.6, Fa: 0.07, Fb: 0.8}
  segmentation: {min_duration_off: 0.0}
"""
_ROOM = 128


def make(segmentation: Path, folder: Path) -> None:
    """Write the pipeline, with the manifest that the store would give it."""
    import numpy as np
    import torch
    from pyannote.audio.core.task import Problem, Resolution, Specifications
    from pyannote.audio.models.embedding import XVectorSincNet

    for part in ("segmentation", "embedding", "plda"):
        (folder / part).mkdir(parents=True)
    (folder / "config.yaml").write_text(_CONFIG)
    shutil.copyfile(segmentation, folder / "segmentation" / "pytorch_model.bin")
    torch.manual_seed(1)
    network = XVectorSincNet()
    about = {
        "versions": {"torch": str(torch.__version__), "pyannote.audio": "4.0.0"},
        "architecture": {"module": XVectorSincNet.__module__, "class": XVectorSincNet.__name__},
        "specifications": Specifications(
            problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=5.0, classes=["one"]
        ),
    }
    saved = {
        "state_dict": network.state_dict(),
        "hyper_parameters": dict(network.hparams),
        "pyannote.audio": about,
        "pytorch-lightning_version": "2.0.0",
    }
    torch.save(saved, folder / "embedding" / "pytorch_model.bin")
    size = network.dimension
    turn = np.eye(size)[:, :_ROOM]
    plda = folder / "plda"
    np.savez(plda / "xvec_transform.npz", mean1=np.zeros(size), mean2=np.zeros(_ROOM), lda=turn)
    np.savez(plda / "plda.npz", mu=np.zeros(_ROOM), tr=np.eye(_ROOM), psi=np.linspace(3, 0.1, _ROOM))
    files = {
        path.relative_to(folder).as_posix(): {
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            "size": path.stat().st_size,
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    (folder / "manifest.json").write_text(json.dumps({"files": files}))


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
