"""Our Hindi in Latin letters, and Urdu in Devanagari, against labels and against kept libraries.

`make bench-scripts WORDS=hi.translit.sampled.test.tsv` prints how many words are spelt as people spelt them.
The file is a lexicon of the Dakshina data set (Roark et al., LREC 2020; CC BY-SA 4.0), which is not in this
repository. Lines of FLORES, where they are, show how many words of Urdu become words that the Hindi lines
have, too.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import unicodedata
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.figures import Sheet, skip
from tests.data import DATA, ROOT
from workers.engines.common.scripts.latin import romanise
from workers.engines.common.scripts.urdu import arabic_of, devanagari_of

LIMIT = 0.9
"""Of the errors of the best library. Measured: 0.38. Where one comes near, it is kept instead of ours."""
_FOLDER = ROOT / "build" / "romanisers"
_HELD_OUT = 506
"""Lines of FLORES from this one on are measured; those before it were looked at when the rules were made."""
_HINDI = re.compile("[\u0900-\u0963\u0971-\u097f]+")
_URDU = re.compile("[\u0621-\u063a\u0641-\u0655\u0670-\u06d3]+")


@dataclass(frozen=True)
class RomanisedWord:
    """A word in Devanagari; right is any of `spellings`."""

    written: str
    spellings: frozenset[str]


def read_lexicon(path: Path) -> list[RomanisedWord]:
    """Return the words of a lexicon: a line has a spelling, the word, and how many people gave it."""
    found: dict[str, set[str]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        spelling, written, _ = line.split("\t")
        found.setdefault(written, set()).add(spelling)
    return [RomanisedWord(written, frozenset(spellings)) for written, spellings in found.items()]


def peer_spellings(words: Sequence[str]) -> dict[str, list[str]]:
    """Return how each peer spells the words; their environment is made at the first call."""
    python, peers = _FOLDER / "bin" / "python", Path(__file__).with_name("peers")
    asked = (peers / "romanisers.txt").read_text(encoding="utf-8")
    made = _FOLDER / "made-of.txt"
    if not made.exists() or made.read_text(encoding="utf-8") != asked:
        venv.create(_FOLDER, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "-r", peers / "romanisers.txt"]
        subprocess.run(command, check=True)
        made.write_text(asked, encoding="utf-8")
    command = [python, peers / "romanisers.py"]
    done = subprocess.run(command, input=json.dumps(words).encode(), check=True, stdout=subprocess.PIPE)
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def wrong(words: Sequence[RomanisedWord], spelt: Sequence[str]) -> int:
    """Return how many words are spelt as nobody spelt them."""
    return sum(spelling not in word.spellings for word, spelling in zip(words, spelt, strict=True))


def urdu_figures() -> tuple[float, float, int]:
    """Return the shares of Urdu words that become Hindi ones, of Hindi words that come back; a count."""
    hindi, urdu = (
        (DATA / "mt" / f"flores200.{code}.devtest").read_text(encoding="utf-8").splitlines()
        for code in ("hin", "urd")
    )
    known = {_alike(word) for line in hindi for word in _HINDI.findall(line)}
    heard = [word for line in urdu[_HELD_OUT:] for word in _URDU.findall(line)]
    spoken = [word for line in hindi[_HELD_OUT:] for word in _HINDI.findall(line)]
    found = sum(_alike(devanagari_of(word)) in known for word in heard) / len(heard)
    back = sum(_alike(devanagari_of(arabic_of(word))) == _alike(word) for word in spoken) / len(spoken)
    return found, back, len(heard)


def _alike(word: str) -> str:
    """Return the word without what people leave out: dots under letters, the moon over the nasal."""
    return unicodedata.normalize("NFD", word).replace("\u093c", "").replace("\u0901", "\u0902")


def main() -> int:
    """Measure, print, judge."""
    if len(sys.argv) < 2:
        return skip("name a lexicon of the Dakshina data set: make bench-scripts WORDS=FILE")
    words = read_lexicon(Path(sys.argv[1]))
    try:
        spelt = peer_spellings([word.written for word in words])
    except subprocess.CalledProcessError:
        return skip("the packages of tests/bench/peers/romanisers.txt cannot be installed")
    everyone = {"ours": [romanise(word.written, "hi") for word in words], **spelt}
    sys.stdout.write(f"{'right of':<24}{len(words):>12} words\n")
    for name, spellings in everyone.items():
        sys.stdout.write(f"{name:<24}{1 - wrong(words, spellings) / len(words):>18.3f}\n")
    sheet = Sheet("make bench-scripts")
    errors = {name: wrong(words, spellings) for name, spellings in everyone.items()}
    best = min(count for name, count in errors.items() if name != "ours")
    sheet.add("Hindi in Latin letters: words wrong", [errors["ours"]], [best], limit=LIMIT, unit="words")
    if (DATA / "mt").exists():
        found, back, count = urdu_figures()
        sys.stdout.write(f"Urdu into Devanagari: {found:.3f} of {count} words are words of the Hindi lines\n")
        sys.stdout.write(f"Hindi into Arabic script and back: {back:.3f} of its words as they were\n")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
