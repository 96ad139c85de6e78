"""The lines of film_en over the battle of a film, as loud as a test wants it, and what is left of them."""

from __future__ import annotations

import array
import json
import math
import subprocess
from pathlib import Path

from tests.data import data
from workers.engines.common.film import ffmpeg as program

FILM = "film_en"
RATE = 44_100
_LEVEL = 0.06
"""Of the speech, as the root of the mean square: with a battle of +5 dB the mix is not cut off."""
_FORM = ("-ar", str(RATE), "-ac", "2", "-sample_fmt", "s16", "-c:a", "flac")


def _run(*words: str) -> bytes:
    command = [program.find_ffmpeg(), "-nostdin", "-v", "error", "-y", *words]
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE).stdout


def samples(path: Path, rate: int = 16_000) -> array.array[int]:
    """Return a sound as mono."""
    form = ("-vn", "-ac", "1", "-ar", str(rate), "-f", "s16le", "-")
    return array.array("h", _run("-i", f"file:{path}", *form))


def loudness(sound: array.array[int]) -> float:
    """Return the root of the mean square, 0 to 1."""
    return math.sqrt(sum(sample * sample for sample in sound) / max(1, len(sound))) / 32768


def of_lines(folder: Path, spoken: Path) -> Path:
    """Write the seven lines of film_en alone, each as loud as the others and at its time."""
    lines = json.loads(spoken.read_text())
    sources = [data("speech/" + line["src"]) for line in lines]
    words = [word for source in sources for word in ("-i", f"file:{source}")]
    shares = [_LEVEL / loudness(samples(source)) for source in sources]
    chains = [
        f"[{number}:a]aresample={RATE},aformat=channel_layouts=mono,volume={share},"
        f"adelay={round(line['start'] * 1000)}:all=1[l{number}]"
        for number, (line, share) in enumerate(zip(lines, shares, strict=True))
    ]
    names = "".join(f"[l{number}]" for number in range(len(lines)))
    graph = ";".join([*chains, f"{names}amix=inputs={len(lines)}:normalize=0,apad=whole_dur=70[out]"])
    _run(*words, "-filter_complex", graph, "-map", "[out]", *_FORM, f"file:{folder / 'lines.flac'}")
    return folder / "lines.flac"


def mix(folder: Path, speech: Path, noise: Path, decibels: float, level: float, name: str = "mix") -> Path:
    """Write speech, which has that level while somebody speaks, over noise that is so many dB quieter."""
    share = level / loudness(samples(noise)) / 10 ** (decibels / 20)
    mixed = "amix=inputs=2:normalize=0:duration=first[out]"
    graph = f"[1:a]aresample={RATE},volume={share}[noise];[0:a][noise]{mixed}"
    target = folder / f"{name}.flac"
    _run(
        "-i",
        f"file:{speech}",
        "-i",
        f"file:{noise}",
        "-filter_complex",
        graph,
        "-map",
        "[out]",
        *_FORM,
        f"file:{target}",
    )
    return target


def over_battle(folder: Path, decibels: float, begins_s: int = 0) -> Path:
    """Write the lines of film_en over the battle, from so many seconds on and then from its start.

    Skips the test where the data is not there.
    """
    speech = of_lines(folder, data(f"film/{FILM}.json"))
    battle = data("film/tears_of_steel_battle_no_dialogue.webm")
    if begins_s:
        battle = _moved(folder, battle, begins_s)
    return mix(folder, speech, battle, decibels, _LEVEL, f"film_en{decibels:+g}dB-{begins_s}")


def _moved(folder: Path, sound: Path, begins_s: int) -> Path:
    target = folder / f"{sound.stem}-{begins_s}.flac"
    parts = f"[0:a]atrim=start={begins_s},asetpts=PTS-STARTPTS[a];[1:a]atrim=end={begins_s}[b]"
    graph = f"{parts};[a][b]concat=n=2:v=0:a=1[out]"
    source = f"file:{sound}"
    _run("-i", source, "-i", source, "-filter_complex", graph, "-map", "[out]", *_FORM, f"file:{target}")
    return target


def narrow(folder: Path, sound: Path) -> Path:
    """Write a sound as recognisers read it."""
    target = folder / f"{sound.stem}.wav"
    _run("-i", f"file:{sound}", "-vn", "-ar", "16000", "-ac", "1", "-c:a", "pcm_s16le", f"file:{target}")
    return target


def si_sdr(found: array.array[int], speech: array.array[int]) -> float:
    """Return by how many dB the speech is louder than all else in a sound, whatever its loudness."""
    count = min(len(found), len(speech))
    power = sum(sample * sample for sample in speech[:count])
    scale = sum(one * other for one, other in zip(found[:count], speech[:count], strict=True)) / power
    rest = sum((one - scale * other) ** 2 for one, other in zip(found[:count], speech[:count], strict=True))
    return 10 * math.log10(scale * scale * power / rest)


def stereo(folder: Path, sound: Path) -> Path:
    """Write a sound as the stage separate reads it."""
    _run("-i", f"file:{sound}", *_FORM, f"file:{folder / sound.stem}.flac")
    return folder / f"{sound.stem}.flac"


def noise(folder: Path, seconds: int) -> Path:
    """Write noise in which low tones are loud, as in wind and traffic."""
    target = folder / "noise.flac"
    _run("-f", "lavfi", "-i", f"anoisesrc=color=pink:seed=1:r={RATE}:d={seconds}", *_FORM, f"file:{target}")
    return target
