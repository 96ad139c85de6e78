"""What bergamot's engine refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.artefacts import Artefact
from protocol.errors import InputError, MissingError, UsageError
from protocol.stages.translate import TranslateRequest
from workers.engines.bergamot.translate import pair_of, refuse_untranslatable

NOTHING = Artefact(path="x", size=0, sha256="")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model_info.json").write_text(
        '{"modelName": "English-Portuguese tiny", "shortName": "en-pt-tiny"}'
    )
    return tmp_path


def request(**fields: str) -> TranslateRequest:
    asked = {"source_language": "en", "target_language": "pt", "model": "bergamot-en-pt", **fields}
    return TranslateRequest(transcript=NOTHING, audio=NOTHING, **asked)


def test_the_pair_is_the_one_that_the_model_says(folder: Path) -> None:
    assert pair_of(folder) == ("en", "pt")


@pytest.mark.parametrize("written", ["", "[]", "{}", '{"shortName": 3}', '{"shortName": "tiny"}'])
def test_a_folder_without_a_pair_is_no_model_of_its(tmp_path: Path, written: str) -> None:
    (tmp_path / "model_info.json").write_text(written)
    with pytest.raises(MissingError, match="is not of kind bergamot"):
        pair_of(tmp_path)


def test_what_it_can_do_is_let_through(folder: Path) -> None:
    refuse_untranslatable(request(), folder)
    refuse_untranslatable(request(device="cpu", compute_type="float32"), folder)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"target_language": "en", "source_language": "pt"}, InputError),
        ({"target_language": "es"}, InputError),
        ({"device": "cuda:0"}, UsageError),
        ({"compute_type": "float16"}, UsageError),
    ],
)
def test_what_it_cannot_do_is_refused(folder: Path, fields: dict[str, str], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        refuse_untranslatable(request(**fields), folder)
