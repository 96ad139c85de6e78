"""Uses libass through ffmpeg's filter: finds the font for each script, and the letters that no font has.

Fonts are chosen with fontconfig's `fc-list`, as libass itself asks fontconfig on Linux. Without fontconfig
(macOS: CoreText), libass gets the first choice of `formats.ass.FONTS` and takes a font that has the letters.
The program never guesses whether there is one: libass draws every character of the track once and says which
ones it could not draw.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import tempfile
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from protocol.errors import MissingError
from protocol.timeline import Cue
from workers.engines.common.film.ffmpeg import find_ffmpeg
from workers.engines.common.formats.ass import FONTS, fonts_of, to_ass
from workers.engines.common.formats.lines import plain, script_of
from workers.engines.common.names import shown

__all__ = ["ass_file", "ass_filter", "choose_fonts", "escape", "families_with", "is_text", "undrawable"]

_NOT_FOUND = re.compile(r"failed to find any fallback with glyph 0x([0-9A-Fa-f]+)")
"""libass's warning (ass_fontselect.c); 0 is its code if there is no font at all."""
_INVISIBLE = frozenset("CZ")
_SPOKEN = frozenset("LMN")
_SAMPLE_MS = 1_000


def choose_fonts(cues: Sequence[Cue]) -> dict[str, str]:
    """Return for each script a family that has all its letters in the cues; no entry if none is known.

    One font must have them all: letters of two fonts do not join, but the letters of a word in Urdu must.
    """
    chosen = {}
    for script, letters in _letters(cues).items():
        families = families_with(letters)
        best = fonts_of(script, families)[0]
        if best in families:
            chosen[script] = best
        elif families:
            chosen[script] = min(families, key=lambda name: ("Sans" not in name, len(name), name))
    return chosen


def families_with(letters: str) -> frozenset[str]:
    """Return the installed families with a font that has all the letters; none without fontconfig."""
    program = shutil.which("fc-list")
    if program is None or not letters:
        return frozenset()
    codes = " ".join(f"{ord(letter):x}" for letter in letters)
    done = subprocess.run(
        [program, "--format", "%{family[0]}\n", f":scalable=true:charset={codes}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    names = done.stdout.decode("utf-8", "replace").split("\n")
    # Commas separate a style's fields.
    return frozenset(name for name in names if name and "," not in name)


def undrawable(cues: Sequence[Cue], language: str, fonts: Mapping[str, str]) -> frozenset[str]:
    """Return the characters of the cues that libass would draw as boxes, or not at all.

    Raises `MissingError` if ffmpeg cannot draw subtitles or write H.264.
    """
    seen = sorted(
        {character for cue in cues for line in cue.lines for character in plain(line) if _is_drawn(character)}
    )
    sample = Cue(start_ms=0, end_ms=_SAMPLE_MS, lines=("".join(seen),))
    with ass_file(to_ass([sample], language, fonts=fonts)) as path:
        done = subprocess.run(
            [
                *(find_ffmpeg(), "-nostdin", "-hide_banner", "-nostats", "-loglevel", "warning"),
                *("-f", "lavfi", "-i", "color=s=640x360:r=1:d=1", "-vf", ass_filter(path, (640, 360))),
                *("-c:v", "libx264", "-f", "null", "-"),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode:
        reason = next((part for part in said.split("\n") if part.strip()), "it gave no reason")
        message = f"This ffmpeg ({shown(find_ffmpeg())}) cannot draw subtitles: {shown(reason.strip())}."
        raise MissingError(message, "Unset CPW_FFMPEG, or install an ffmpeg with libass and libx264.")
    codes = {int(code, 16) for code in _NOT_FOUND.findall(said)}
    return frozenset(seen if 0 in codes else (character for character in seen if ord(character) in codes))


def is_text(character: str) -> bool:
    """Return whether a line needs the character: letters, digits and a script's own signs, not pictures."""
    name = unicodedata.name(character, "")
    return unicodedata.category(character)[0] in _SPOKEN or name.partition(" ")[0] in FONTS


def ass_filter(path: Path, picture: tuple[int, int]) -> str:
    """Return ffmpeg's filter for the file; `picture` is width and height as seen, in square pixels.

    libass uses it to make letters wider or narrower if the film's own pixels are not square.
    """
    return f"ass=filename={escape(str(path))}:original_size={picture[0]}x{picture[1]}"


def escape(value: str) -> str:
    """Return the value of a filter's option, escaped for a filtergraph: as a value, then as a graph.

    ffmpeg-filters(1), "Notes on filtergraph escaping".
    """
    return re.sub(r"([\\'\[\],;])", r"\\\1", re.sub(r"([\\':])", r"\\\1", value))


@contextlib.contextmanager
def ass_file(text: str) -> Iterator[Path]:
    """Keep the text in a file of a private folder while ffmpeg draws from it."""
    with tempfile.TemporaryDirectory(prefix="cpw-ass-") as folder:
        path = Path(folder, "cues.ass")
        path.write_text(text, encoding="utf-8")
        yield path


def _letters(cues: Sequence[Cue]) -> dict[str, str]:
    """Return each script of the lines, and which of its letters are in them."""
    found: dict[str, set[str]] = {}
    for line in (line for cue in cues for line in cue.lines):
        script = script_of(line)
        own = {script, "CJK"} if script == "HIRAGANA" else {script}
        found.setdefault(script, set()).update(letter for letter in set(line) if script_of(letter) in own)
    return {script: "".join(sorted(letters)) for script, letters in found.items() if script}


def _is_drawn(character: str) -> bool:
    return unicodedata.category(character)[0] not in _INVISIBLE
