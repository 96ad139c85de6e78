"""What is said of a job's quality before anybody has seen its subtitles."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.plan import PlannedStep
from coordinator.planning.inventory import Inventory
from coordinator.planning.quality import quality_note, quality_of
from envspecs.models.registry import read_registry
from envspecs.setup.choice import choose
from envspecs.setup.pins import Pins
from envspecs.spec import read_all
from protocol.errors import UsageError
from protocol.hardware import Hardware
from protocol.messages import Submit

REGISTRY = read_registry()
LARGE = "whisper-large-v3"
LAPTOP = Hardware(platform="Linux", machine="x86_64", cores=2, ram_bytes=8 << 30)


@pytest.fixture(autouse=True)
def no_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nobody decide anything in `setup.toml`."""
    monkeypatch.setenv("CPW_MODELS", str(tmp_path))


def submission(*targets: str, asr: str = "whisper-base") -> Submit:
    return Submit(
        media="/film.mkv",
        workflow="translate" if targets else "transcribe",
        user="asha",
        out="/out",
        target_languages=targets,
        parameters={"asr": {"model": asr}},
    )


def translation(target: str, model: str) -> PlannedStep:
    return PlannedStep(
        name=f"translate-{target}",
        stage="translate",
        environment="x",
        target=target,
        choices={"model": model},
        needs=(),
        after=(),
    )


def inventory(*stored: str, on: Hardware = LAPTOP, off: bool = False) -> Inventory:
    specs = {spec.name: spec for spec in read_all()}
    chosen = None if off else choose(on, Pins(), REGISTRY)
    here = Inventory(specs=specs, registry=REGISTRY, hardware=on, chosen=chosen)
    here._stored.update({model: model in stored for model in REGISTRY})  # noqa: SLF001 (a store that is played)
    return here


@pytest.mark.parametrize(
    ("asr", "translator", "language", "grade", "why"),
    [
        ("whisper-base", "whisper-base", "en", "draft", "whisper-base recognises English"),
        ("whisper-small", "", "de", "good", "whisper-small recognises German"),
        ("whisper-small", "", "hi", "draft", "whisper-small recognises Hindi"),
        (LARGE, "", "hi", "best", "whisper-large-v3 recognises Hindi"),
        # Whisper's own translation is a draft where it hears little, and never the best.
        (
            "whisper-large-v3",
            "whisper-large-v3",
            "hi",
            "draft",
            "whisper-large-v3 translates Hindi into Tamil",
        ),
        (
            "whisper-large-v3",
            "whisper-large-v3",
            "fr",
            "good",
            "whisper-large-v3 translates French into Tamil",
        ),
        (
            LARGE,
            "indictrans2-indic-indic-dist-320m",
            "hi",
            "good",
            "indictrans2-indic-indic-dist-320m translates Hindi into Tamil",
        ),
        (LARGE, "indictrans2-indic-indic-1b", "hi", "best", "whisper-large-v3 recognises Hindi"),
    ],
)
def test_a_job_is_as_good_as_its_weakest_model(
    asr: str, translator: str, language: str, grade: str, why: str
) -> None:
    steps = [translation("ta", translator)] if translator else []
    found = quality_of(submission("ta", asr=asr), language, steps, REGISTRY)
    assert found is not None
    assert (found.grade, found.why) == (grade, why)


def test_a_model_that_nobody_has_graded_says_nothing() -> None:
    assert quality_of(submission(asr="my-own-whisper"), "en", [], REGISTRY) is None


def test_a_translation_into_the_films_own_language_is_not_done_and_does_not_count() -> None:
    steps = [translation("en", "whisper-base")]
    found = quality_of(submission("en", asr="whisper-large-v3"), "en", steps, REGISTRY)
    assert found is not None
    assert found.grade == "best"


def test_a_line_names_the_command_that_makes_it_better() -> None:
    steps = [translation("en", "whisper-base")]
    said = quality_note(submission("en"), "hi", steps, inventory("whisper-base"))
    assert said == "draft quality for Hindi: cpw setup --for hi"


def test_where_the_machines_own_set_is_enough_no_language_is_named() -> None:
    said = quality_note(submission(), "fr", [], inventory("whisper-base"))
    assert said == "draft quality for French: cpw setup"


def test_targets_are_named_too_where_they_need_a_translator() -> None:
    steps = [translation("ta", "whisper-base")]
    said = quality_note(submission("ta"), "hi", steps, inventory("whisper-base"))
    assert said == "draft quality for Hindi: cpw setup --for hi,ta"


def test_a_script_needs_no_other_models_than_its_language() -> None:
    said = quality_note(submission("hi-Latn"), "hi", [], inventory("whisper-base"))
    assert said == "draft quality for Hindi: cpw setup --for hi"


def test_nothing_is_said_where_nothing_better_is_to_be_had() -> None:
    small = submission(asr="whisper-small")
    assert not quality_note(small, "fr", [], inventory("whisper-base", "whisper-small"))
    # A person has named another model than the chosen one, which is here.
    assert not quality_note(submission(), "fr", [], inventory("whisper-base", "whisper-small"))


def test_nothing_is_said_to_who_decides_alone() -> None:
    assert not quality_note(submission(), "hi", [], inventory("whisper-base", off=True))


def test_a_wrong_file_of_a_person_refuses_new_jobs_and_stops_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CPW_SETUP", raising=False)
    monkeypatch.setenv("CPW_MODELS", str(tmp_path))
    (tmp_path / "setup.toml").write_text('set = "bad')
    with pytest.raises(UsageError, match=r"setup\.toml is not valid TOML"):
        Inventory.look()
    assert Inventory.look_on().chosen is None
