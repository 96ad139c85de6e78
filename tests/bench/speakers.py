"""Who speaks when: error rates of diarize on two people on the telephone, and on talks made of recordings.

At the end the voices of one film are named, and those of the next one matched with them.

`make bench-speakers` tells the speakers of each sound apart, without being told how many there are and with.
Beside each rate stands that of the same speech said by one person. What its limits were chosen on is marked
in docs/adr/0035-who-speaks.md.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from coordinator.planning.inventory import Inventory
from coordinator.voices.matching import centre, known_names, likeness
from protocol.artefacts import read_json_as
from protocol.jobs.voices import Voices
from protocol.schema import from_plain
from protocol.stages import diarize
from protocol.stages.diarize import DiarizeRequest, DiarizeResult
from protocol.timeline import Turn
from tests.bench.figures import Sheet, skip
from tests.data import DATA, two_speakers
from tests.lone_worker import LoneWorker
from tests.speaker_scores import all_one, error_rates, read_rttm, words_right
from tests.talks import Talk, make_talk

FILM_S, ALONE_S = 300, 150
TALKS = (
    (("austen", "corpus"), FILM_S, 9.0),
    (("austen", "corpus", "kennedy", "chandigarh"), FILM_S, 9.0),
    (("austen", "nasa", "patna"), FILM_S, 0.0),
    (("austen",), ALONE_S, 9.0),
    (("kennedy",), ALONE_S, 9.0),
    (("corpus-cold",), ALONE_S, 9.0),
)
"""Voices, seconds, and by how many dB they are louder than the battle."""
EPISODES = (("austen", "corpus", "kennedy", "chandigarh"), ("nasa", "kennedy", "austen", "chandigarh"))
EPISODE_S = 120
KNOWN_LIMIT, UNKNOWN_LIMIT = 0.15, 0.25
NEEDED = ("film/tears_of_steel_battle_no_dialogue.webm", "align/acoustic_corpus.wav", "speech/jfk.flac")


def main() -> int:
    """Measure, print, judge."""
    absent = [path for path in NEEDED if not (DATA / path).exists()]
    if absent:
        return skip(f"the test data {DATA / absent[0]} is not there")
    here = Inventory.look()
    stage = diarize.STAGE.name
    spec = here.serving(stage, {})
    model = here.default_model(stage, spec)
    if not here.is_built(spec):
        return skip(f"the environment is not built: python3 -m envspecs build {spec.name}")
    if not here.has_model(model):
        return skip(f"the model is not in the store: python3 -m envspecs models fetch {model}")
    sheet = Sheet("make bench-speakers")
    with tempfile.TemporaryDirectory() as folder, LoneWorker.of(spec.name) as worker:
        worker.wait_ready()
        for name, talk in _sounds(Path(folder)):
            _measure(sheet, worker, model, name, talk)
        _measure_episodes(sheet, worker, model, Path(folder))
    return sheet.close()


def _sounds(folder: Path) -> Iterator[tuple[str, Talk]]:
    telephone = two_speakers()
    yield "the telephone", Talk(path=telephone, turns=read_rttm(telephone.with_suffix(".rttm")), words=())
    for voices, seconds, decibels in TALKS:
        named = f"{', '.join(voices)} at {decibels:+g} dB"
        yield named, make_talk(folder, voices, seconds, decibels=decibels, seed=len(voices))


def _measure(sheet: Sheet, worker: LoneWorker, model: str, name: str, talk: Talk) -> None:
    with closing(wave.open(str(talk.path), "rb")) as file:
        duration_ms = file.getnframes() * 1000 // file.getframerate()
    audio = worker.take_in(talk.path, talk.path.name)
    count = len({turn.speaker for turn in talk.turns})
    for said, limit in (("", UNKNOWN_LIMIT), (str(count), KNOWN_LIMIT)):
        begun_s = time.monotonic()
        result: DiarizeResult = worker.do("diarize", DiarizeRequest(audio=audio, model=model, speakers=said))
        taken_s = time.monotonic() - begun_s
        written = json.loads((worker.folder / result.timeline.path).read_bytes())["turns"]
        found = tuple(from_plain(Turn, turn) for turn in written)
        rate, alone = error_rates(talk.turns, [found, all_one(found)], duration_ms)
        row = f"{name}, {f'{count} speakers said' if said else 'speakers not said'}"
        judged = limit if count > 1 else None
        sheet.add(f"{row}: error rate", [rate], limit=judged, unit="of the speech")
        sheet.add(
            f"{row}: speakers too many or too few", [abs(len(result.speakers) - count)], unit="speakers"
        )
        if said:
            continue
        sheet.add(f"{name}, as one speaker: error rate", [alone], unit="of the speech")
        sheet.add(f"{name}: time", [taken_s / duration_ms * 1000], unit="x real time")
        if talk.words:
            wrong = 1 - words_right(talk.words, result.turns)
            sheet.add(f"{name}: words with a wrong speaker", [wrong], unit="of the words")
            one = 1 - words_right(talk.words, all_one(result.turns))
            sheet.add(f"{name}, as one speaker: words with a wrong speaker", [one], unit="of the words")


def _measure_episodes(sheet: Sheet, worker: LoneWorker, model: str, folder: Path) -> None:
    """Name all voices of a film, and see what they are called in the next one, where all is said newly."""
    films = []
    for number, voices in enumerate(EPISODES, start=1):
        place = folder / f"episode {number}"
        place.mkdir()
        talk = make_talk(place, voices, EPISODE_S, seed=10 + number, half=number)
        audio = worker.take_in(talk.path, f"episode {number}.wav")
        result: DiarizeResult = worker.do("diarize", DiarizeRequest(audio=audio, model=model))
        heard = read_json_as(Voices, worker.folder / result.voices.path).voices
        films.append([(_who(talk.turns, result.turns, voice.id), voice) for voice in heard])
    first, second = films
    known = {
        person: centre((voice.embedding, voice.speech_ms) for own, voice in first if own == person)
        for person in {person for person, _ in first}
    }
    found = {voice: name for voice, (name, _) in known_names([voice for _, voice in second], known).items()}
    called = [(person, found.get(voice.id, "")) for person, voice in second]
    nameless = {person for person, _ in second if person in known} - {
        person for person, name in called if name
    }
    sheet.add("the next episode: people without their name", [len(nameless)], limit=0, unit="people")
    wrong = sum(bool(name) and name != person for person, name in called)
    sheet.add("the next episode: voices with a wrong name, new ones too", [wrong], limit=0, unit="voices")
    alike = {
        same: [
            likeness(voice.embedding, other.embedding)
            for person, voice in first
            for own, other in second
            if (person == own) is same
        ]
        for same in (True, False)
    }
    sheet.add("the next episode: likeness, one person, the least", [min(alike[True])], unit="cosine")
    sheet.add("the next episode: likeness, two people, the most", [max(alike[False])], unit="cosine")


def _who(true: Sequence[Turn], found: Sequence[Turn], speaker: str) -> str:
    """Return who speaks for most of the time of a speaker's turns."""
    shared: Counter[str] = Counter()
    for turn in found:
        for own in true if turn.speaker == speaker else ():
            shared[own.speaker] += max(0, min(turn.end_ms, own.end_ms) - max(turn.start_ms, own.start_ms))
    return shared.most_common(1)[0][0]


if __name__ == "__main__":
    sys.exit(main())
