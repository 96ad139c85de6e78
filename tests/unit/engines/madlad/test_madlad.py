"""MADLAD-400 without its libraries: tags, tokens, devices, and what is asked of CTranslate2."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from envspecs.models.registry import read_registry
from protocol.errors import InputError, MissingError, ResourceError, UsageError
from protocol.languages import every_language, find_language
from workers.engines.madlad import cublas
from workers.engines.madlad.generating import MadladTranslation
from workers.engines.madlad.languages import MADLAD, madlad_tag
from workers.engines.madlad.models import MadladModel, choose_placement
from workers.text.scripts import scripts_of


def test_the_languages_are_the_programs_but_for_three() -> None:
    assert {language.code for language in every_language()} - set(MADLAD) == {"yue", "sat", "mni"}
    assert all(find_language(code).code == code for code in MADLAD)


def test_the_registrys_models_have_the_tables_languages() -> None:
    models = [model for model in read_registry().values() if model.kind == "madlad"]
    assert models
    for model in models:
        assert set(model.translates_from) == set(model.translates_to) == set(MADLAD)
        assert not model.forbids_commerce


@pytest.mark.parametrize(
    ("language", "script", "tag"),
    [
        ("de", "", "<2de>"),
        ("hi", "Deva", "<2hi>"),
        ("jw", "", "<2jv>"),
        ("tl", "Latn", "<2fil>"),
        ("zh", "", "<2zh>"),
        ("zh", "Hans", "<2zh>"),
        ("zh", "hant", "<2zh_Hant>"),
        ("ks", "Deva", "<2ks_Deva>"),
    ],
)
def test_a_language_and_a_script_are_a_tag(language: str, script: str, tag: str) -> None:
    assert madlad_tag(language, script) == tag


def test_a_language_or_a_script_that_it_has_not_is_refused() -> None:
    with pytest.raises(InputError, match="MADLAD-400 does not have the language Cantonese"):
        madlad_tag("yue")
    with pytest.raises(UsageError, match="does not write Serbian in the script 'Latn'"):
        madlad_tag("sr", "Latn")


def test_the_script_of_a_tag_is_one_that_the_languages_texts_are_judged_by() -> None:
    for code, tags in MADLAD.items():
        for tag in tags:
            names, allowed = scripts_of("", tag.rpartition("_")[2]), scripts_of(code)
            assert names, f"{tag} is in no script that texts are judged by"
            assert not allowed or set(names) & set(allowed), f"{tag} is not written in {allowed}"


class Words:
    """A tokenizer: each word is a token."""

    def encode(self, text: str, *, out_type: type) -> list[str]:
        assert out_type is str
        return text.split()

    def decode(self, tokens: list[str]) -> str:
        return " ".join(tokens)

    def unk_id(self) -> int:
        return 0

    def piece_to_id(self, piece: str) -> int:
        return 7 if piece == "<2de>" else 0


class Shouting:
    """Shouts what it is given, and holds on to how it was asked."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.asked: list[tuple[list[list[str]], dict[str, Any]]] = []
        self.fails = fails

    def translate_batch(self, batch: list[list[str]], **options: Any) -> list[Any]:
        self.asked.append((batch, options))
        if self.fails:
            raise self.fails
        return [
            SimpleNamespace(hypotheses=[["<unk>", *(token.upper() for token in tokens[1:-1]), "<2en>"]])
            for tokens in batch
        ]


def translation(
    translator: Shouting, *, ending: tuple[str, ...] = ("</s>",), **fields: Any
) -> MadladTranslation:
    loaded = MadladModel(
        translator=translator, tokenizer=Words(), ending=ending, lanes=2, threads=1, given=lambda: 2
    )
    return MadladTranslation(**{"loaded": loaded, "tag": "<2de>", **fields})


def quietly(_share: float) -> None:
    """Hear the progress."""


def test_a_text_goes_with_its_tag_and_its_end_and_comes_back_without_signs() -> None:
    translator = Shouting()
    assert translation(translator).translate(["a b", "c"], 8, quietly) == ["A B", "C"]
    ((batch, options),) = translator.asked
    assert batch == [["<2de>", "a", "b", "</s>"], ["<2de>", "c", "</s>"]]
    assert options == {"beam_size": 4, "max_input_length": 0, "max_decoding_length": 3 * 4 + 20}


def test_a_model_that_writes_the_end_itself_is_not_given_one() -> None:
    assert translation(Shouting(), ending=()).tokens_of("a b") == ["<2de>", "a", "b"]


@pytest.mark.parametrize("said", ["<2fr>", "<2>", "<2zh_Hant>"])
def test_a_tag_that_is_said_is_letters(said: str) -> None:
    assert said not in translation(Shouting()).tokens_of(f"one {said} two")[1:]


def test_a_search_has_the_beams_and_the_options_that_are_asked_for() -> None:
    translator = Shouting()
    translation(translator, beams=8, options={"no_repeat_ngram_size": 3}).translate(["a b"], 1, quietly)
    (_, options) = translator.asked[0]
    assert (options["beam_size"], options["no_repeat_ngram_size"]) == (8, 3)


def test_a_text_that_is_too_long_goes_in_pieces() -> None:
    translator = Shouting()
    long = " ".join(f"w{number}" for number in range(600))
    (made,) = translation(translator, space="_").translate([long], 8, quietly)
    assert made.replace("_", " ") == long.upper()
    assert made.count("_") == 3
    assert all(len(tokens) <= 256 for batch, _ in translator.asked for tokens in batch)


@pytest.mark.parametrize("error", [RuntimeError("CUDA failed with error out of memory"), MemoryError()])
def test_a_lack_of_memory_is_said_with_what_to_do(error: Exception) -> None:
    with pytest.raises(ResourceError, match="not enough memory for 1 texts of 4 tokens") as caught:
        translation(Shouting(error)).translate(["a b"], 8, quietly)
    assert "translate.batch_size=1" in caught.value.remedy


def test_any_other_error_of_the_library_is_not_taken_for_one_of_memory() -> None:
    with pytest.raises(RuntimeError, match="something else"):
        translation(Shouting(RuntimeError("something else"))).translate(["a"], 8, quietly)


def test_a_language_that_the_model_has_not_is_refused() -> None:
    loaded = translation(Shouting()).loaded
    loaded.refuse_unknown("<2de>")
    with pytest.raises(MissingError, match="does not have the language <2xx>"):
        loaded.refuse_unknown("<2xx>")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, bool], None]:
    """Return a function that plays a machine: so many GPUs, and whether there is cuBLAS."""

    def play(gpus: int, cublas_there: bool) -> None:
        library = SimpleNamespace(
            get_cuda_device_count=lambda: gpus,
            get_supported_compute_types=lambda *_: {"int8", "int8_float16", "float32"},
        )
        monkeypatch.setitem(sys.modules, "ctranslate2", library)
        cublas.open_cublas.cache_clear()

        def opened(name: str, mode: int) -> None:
            if not cublas_there:
                raise OSError(name)

        monkeypatch.setattr("ctypes.CDLL", opened)

    return play


@pytest.mark.parametrize(
    ("gpus", "there", "device", "compute_type"),
    [(0, False, "cpu", "int8"), (1, False, "cpu", "int8"), (1, True, "cuda", "int8_float16")],
)
def test_a_gpu_is_computed_on_where_cublas_is(
    machine: Callable[[int, bool], None], gpus: int, there: bool, device: str, compute_type: str
) -> None:
    machine(gpus, there)
    where = choose_placement("auto", "auto")
    assert (where.device, where.compute_type) == (device, compute_type)


def test_a_gpu_that_is_asked_for_and_cannot_be_computed_on_is_refused(
    machine: Callable[[int, bool], None],
) -> None:
    machine(1, False)
    with pytest.raises(UsageError, match="does not have the device cuda"):
        choose_placement("cuda", "auto")
