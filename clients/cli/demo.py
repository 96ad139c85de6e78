"""`cpw demo`: short films, made of a recording that a package ships, are subtitled, and their times shown.

Two of them are translated too where an environment and a model for the languages are here. A third one is
noisy: its voices are separated where an environment and a model for that are here.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import click

import envspecs
from clients.cli.house.machine import start_everything
from clients.cli.shell import CONTEXT, pass_desk
from clients.cli.submit import submit_films
from clients.desk import Desk
from clients.submission import Written
from envspecs.models.registry import has_model, read_registry
from protocol.errors import BugError, ExitCode, MissingError
from protocol.stages import STAGES

__all__ = ["demo"]

_UP_SECONDS = 300
# Two colours, so that the second film is another file and no finished step can be reused for it.
_FILMS = {"Two Speakers (2024).mkv": "0x20506b", "Two Speakers Again (2024).mkv": "0x6b2030"}
_STORMY = {"Two Speakers in a Storm (2024).mkv": "0x404040"}
_STORMY_CLIP = ("-ss", "6", "-t", "12")
"""Of the recording: nobody speaks before."""
_STORM = "anoisesrc=color=brown:amplitude=0.1:seed=1,tremolo=f=0.3:d=0.6[storm]"
"""Wind that comes and goes: whisper-base takes some of the words for others."""
_SEPARATE = "separate"
_SPOKEN = "en"
_TRANSLATED = ("pt",)
_RECORDING = "pyannote/audio/sample/sample.wav"


@click.command(context_settings=CONTEXT)
@pass_desk
def demo(desk: Desk) -> ExitCode:
    """Make and subtitle two short films, the second with warm models."""
    code = start_everything(desk, _UP_SECONDS)
    if code != ExitCode.DONE:
        return code
    recording = _find_recording()
    targets = tuple(target for target in _TRANSLATED if _can_translate(target))
    folder = desk.home / "demo"
    folder.mkdir(exist_ok=True)
    took_s = {}
    for name, colour in (_FILMS | _STORMY if _can_separate() else _FILMS).items():
        film = folder / name
        noisy = name in _STORMY
        _draw_film(recording, film, colour, noisy=noisy)
        begun_s = time.monotonic()
        code = _subtitle(desk, film, () if noisy else targets, (_SEPARATE,) if noisy else ())
        if code != ExitCode.DONE:
            return code
        took_s[name] = time.monotonic() - begun_s
    desk.report.line("")
    for name, seconds in took_s.items():
        desk.report.line(f"{seconds:6.1f} s  {name}")
    desk.report.line("The models stay loaded: make health. To stop: make down.")
    return ExitCode.DONE


def _subtitle(desk: Desk, film: Path, targets: tuple[str, ...], stages: tuple[str, ...]) -> ExitCode:
    """Show the command that a person would type for this film, and run it."""
    words = "".join(f" -t {target}" for target in targets)
    # In a storm a short film's language is not heard for sure.
    words += "".join(f" -s {_SPOKEN} --with {stage}" for stage in stages)
    desk.report.line("")
    named = shlex.quote(str(film.relative_to(desk.home)))
    desk.report.line(f"cpw-submit {named} --workflow subtitle{words}", "title")
    written = Written(
        media=(str(film),),
        workflow="subtitle",
        targets=targets,
        with_stages=stages,
        again=True,
        source=_SPOKEN if stages else None,
    )
    return submit_films(desk, written)


def _can_separate() -> bool:
    """Return whether an environment that is built separates voices, by its model that is in the store."""
    return any(
        envspecs.is_built(spec) and has_model(spec.default_model or STAGES[_SEPARATE].default_model)
        for spec in envspecs.environments_for(_SEPARATE)
    )


def _can_translate(target: str) -> bool:
    """Return whether an environment that is built translates the film, by a model that is in the store."""
    return any(
        model.kind in spec.model_kinds and model.has_pair(_SPOKEN, target) and has_model(model.id)
        for spec in envspecs.environments_for("translate")
        if envspecs.is_built(spec)
        for model in read_registry().values()
    )


def _find_recording() -> Path:
    """Return the two-speaker sample (30 s, MIT) that pyannote.audio ships."""
    for name in envspecs.spec_names():
        for recording in envspecs.venv_path(name).glob(f"lib/python*/site-packages/{_RECORDING}"):
            return recording
    message = "No environment here has a recording to make a film of."
    raise MissingError(message, "make build")


def _draw_film(recording: Path, film: Path, colour: str, *, noisy: bool) -> None:
    """Make a film of the recording: its wave drawn on a plain ground; a `noisy` one is short, in a storm."""
    import imageio_ffmpeg

    ffmpeg = os.environ.get("CPW_FFMPEG") or shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    sound = f"{_STORM};[0:a][storm]amix=inputs=2:normalize=0:duration=first" if noisy else "[0:a]anull"
    graph = (
        f"color=c={colour}:size=640x360:rate=24[ground];"
        f"{sound},asplit[seen][heard];"
        "[seen]showwaves=size=640x200:mode=cline:rate=24:colors=white[wave];"
        "[ground][wave]overlay=y=80:shortest=1[picture]"
    )
    command = [ffmpeg, "-nostdin", "-loglevel", "error", "-y", *(_STORMY_CLIP if noisy else ())]
    command += ["-i", f"file:{recording}"]
    command += ["-filter_complex", graph, "-map", "[picture]", "-map", "[heard]"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-shortest", f"file:{film}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = f"The film {film} could not be made: {done.stderr.strip()[-300:]}"
        raise BugError(message)
