"""What bergamot's engine refuses, and how it goes through its sentences."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from protocol.artefacts import Artefact
from protocol.errors import CancelledError, InputError, MissingError, UsageError
from protocol.stages.translate import TranslateRequest
from workers.engines.bergamot import translate as engine
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


def test_a_file_of_another_size_than_it_was_fetched_with_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"123")
    manifest = {"files": {"model.bin": {"sha256": "", "size": 4}}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(MissingError, match=r"model\.bin has changed since it was fetched"):
        engine.refuse_damaged(tmp_path, "m")


def test_translations_come_back_in_order_with_progress() -> None:
    shares: list[float] = []
    shouted = engine.translate_side_by_side(str.upper, ["a", "b", "c", "d"], shares.append, 2)
    assert shouted == ["A", "B", "C", "D"]
    assert shares == [0.25, 0.5, 0.75, 1.0]


def test_after_a_cancel_no_further_sentence_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    given_up = threading.Event()

    class Pool(ThreadPoolExecutor):
        """Says when what waits was given up, and only then waits for what runs."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            given_up.set()
            super().shutdown(wait=wait)

    def translate(text: str) -> str:
        begun.append(text)
        if text != "0":
            assert given_up.wait(20)
        return text

    def progress(_: float) -> None:
        raise CancelledError("The job was cancelled.")

    monkeypatch.setattr(engine, "ThreadPoolExecutor", Pool)
    with pytest.raises(CancelledError):
        engine.translate_side_by_side(translate, [str(number) for number in range(100)], progress, 1)
    assert begun in (["0"], ["0", "1"])
