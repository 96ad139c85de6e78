"""A film through endpoints that behave, and endpoints that do not: it never fails for a line."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.artefacts import describe_file, write_json
from protocol.errors import CancelledError, CpwError, MissingError, TransientError, UsageError
from protocol.jobs.glossary import Term
from protocol.schema import from_plain, to_plain
from protocol.stages.translate import TranslateRequest, TranslateResult
from protocol.timeline import Segment, Speaker, Transcript, Word
from tests.conftest import Figure
from tests.llm.chat_server import MODEL, ChatServer, Visit, answer_of, lines_in, translated
from workers.context import CallContext
from workers.engines.llm.settings import Patience
from workers.engines.llm.translate import ChatTranslate
from workers.models import ModelShelf

PATIENT = Patience(first_s=20.0, between_s=20.0, total_s=40.0, film_s=60.0, retries=0)
HASTY = Patience(first_s=1.5, between_s=1.0, total_s=2.0, film_s=60.0, retries=0)
"""For answers that never end; a busy machine gives a good one within it all the same."""
WORDS = ("rain", "snow", "wind", "sun", "fog", "hail", "storm", "cloud", "frost", "heat", "dew", "ice")


def film(count: int) -> list[Segment]:
    return [
        Segment(
            start_ms=place * 10_000,
            end_ms=place * 10_000 + 6_000,
            text=f"We saw the {WORDS[place % len(WORDS)]} from house {chr(97 + place // len(WORDS))}.",
        )
        for place in range(count)
    ]


class Room:
    """A job folder, in which films are translated."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ: dict[str, str] = {}
        self.attempts = 0
        self.context: CallContext

    def run(
        self,
        segments: list[Segment],
        patience: Patience = PATIENT,
        speakers: tuple[Speaker, ...] = (),
        **more: Any,
    ) -> TranslateResult:
        path = self.root / "film.json"
        write_json(path, to_plain(Transcript(language="en", segments=tuple(segments), speakers=speakers)))
        artefact = describe_file(path, path.name)
        fields = {"source_language": "en", "target_language": "pt", "model": "endpoint", **more}
        request = TranslateRequest(transcript=artefact, audio=artefact, **fields)
        self.attempts += 1
        self.context = CallContext(
            self.root,
            f".scratch/translate-pt-{self.attempts}",
            "translate",
            ModelShelf(self.root),
            lambda *_: None,
        )
        return ChatTranslate(self.environ, lambda *_: patience).run(request, self.context)

    def lines(self, result: TranslateResult) -> list[Segment]:
        name = Path(result.transcript.path).name
        path = self.root / ".scratch" / f"translate-pt-{self.attempts}" / name
        return list(from_plain(Transcript, json.loads(path.read_text())).segments)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


@pytest.fixture
def server(room: Room) -> Iterator[ChatServer]:
    with ChatServer() as found:
        room.environ = {"CPW_LLM": found.url}
        yield found


def is_whole(room: Room, result: TranslateResult, segments: list[Segment]) -> bool:
    texts = [line.text for line in room.lines(result)]
    return texts == [translated(segment.text) for segment in segments]


def test_a_film_is_translated_scene_by_scene(room: Room, server: ChatServer) -> None:
    segments = film(30)
    result = room.run(segments)
    assert is_whole(room, result, segments)
    assert (result.engine, result.model, result.left, result.marks) == ("llm", MODEL, 0, {})
    assert [len(lines_in(body)) for body in server.asked] == [15, 15]
    port = server.url.split(":")[2].split("/")[0]
    note = rf"played-model at 127\.0\.0\.1:{port}: 2 questions, 200 tokens read and 40 written in \d+ s"
    assert [re.fullmatch(note, said) is not None for said in result.notes] == [True]


def test_an_answer_in_the_words_of_the_source_s_language_is_left(
    room: Room, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def judge(text: str) -> list[tuple[str, float]]:
        return [("en" if "weather" in text else "pt", 0.99)]

    def reword(visit: Visit, _number: int) -> None:
        found = {number: translated(text) for number, text in lines_in(visit.body).items()}
        found["2"] = "There was quite some weather around that house."
        visit.say(json.dumps(found))

    monkeypatch.setattr("workers.engines.llm.translate.judge_of", lambda _: judge)
    server.behaviour = reword
    result = room.run(film(3))
    assert (result.left, result.marks) == (1, {"untranslated": 1})
    assert [bool(line.text) for line in room.lines(result)] == [True, False, True]


def test_a_question_says_what_came_before_and_begins_alike(room: Room, server: ChatServer) -> None:
    segments = film(30)
    room.run(
        segments, synopsis="A family watches the weather.", glossary=(Term(source="Fog", target="Neblina"),)
    )
    first, second = server.asked
    assert first["messages"][0] == second["messages"][0]
    stable = first["messages"][0]["content"]
    assert "from English into Portuguese" in stable
    assert "A family watches the weather." in stable
    assert "Fog = Neblina" in stable
    assert "earlier" not in json.loads(first["messages"][1]["content"])
    earlier = json.loads(second["messages"][1]["content"])["earlier"]
    assert earlier == [[segment.text, translated(segment.text)] for segment in segments[3:15]]
    assert first["temperature"] <= 0.2
    assert first["stream"]
    schema = first["response_format"]["json_schema"]
    assert schema["strict"]
    assert schema["schema"]["required"] == [str(place) for place in range(1, 16)]
    assert schema["schema"]["additionalProperties"] is False


def test_who_speaks_and_how_much_can_be_read_stand_beside_a_line(room: Room, server: ChatServer) -> None:
    text = "A line that is said far too fast."
    words = tuple(
        Word(text=word, start_ms=place * 100, end_ms=place * 100 + 100, speaker="1")
        for place, word in enumerate(text.split())
    )
    said = Segment(start_ms=0, end_ms=800, text=text, words=words)
    after = Segment(start_ms=900, end_ms=5_000, text="Yes.")
    room.run([said, after], speakers=(Speaker(id="1", name="Gabbar"),))
    lines = json.loads(server.asked[0]["messages"][1]["content"])["lines"]
    assert lines == {"1": {"text": text, "speaker": "Gabbar", "room": 15}, "2": "Yes."}


Broken = Callable[[Visit], None]


def cut(visit: Visit) -> None:
    visit.say(answer_of(visit.body)[:-15], end="length")


def not_json(visit: Visit) -> None:
    visit.say("Here are your translations: enjoy!")


def lacks_a_line(visit: Visit) -> None:
    lines = json.loads(answer_of(visit.body))
    visit.say(json.dumps(dict(list(lines.items())[:-1])))


def has_more_lines(visit: Visit) -> None:
    visit.say(json.dumps(json.loads(answer_of(visit.body)) | {"99": "Mais."}))


def says_a_line_twice(visit: Visit) -> None:
    visit.say('{"1": "Um.", "1": "Dois."}')


def refuses(visit: Visit) -> None:
    visit.begin()
    visit.event({"choices": [{"index": 0, "delta": {"refusal": "I cannot help with that."}}]})
    visit.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    visit.event("[DONE]")


def filters(visit: Visit) -> None:
    visit.say("", end="content_filter")


def says_nothing(visit: Visit) -> None:
    visit.begin()
    visit.event("[DONE]")


def breaks_off(visit: Visit) -> None:
    visit.begin()
    visit.event({"choices": [{"index": 0, "delta": {"content": '{"1": "Um'}}]})


def sends_anything(visit: Visit) -> None:
    visit.begin()
    for data in ("5", "[]", '{"choices": "none"}', '{"choices": [7]}', '{"usage": 3}', "{broken"):
        visit.event(data)


def sends_a_number_too_large(visit: Visit) -> None:
    visit.begin()
    visit.event("9" * 5_000)


def sends_what_is_too_deep(visit: Visit) -> None:
    visit.begin()
    visit.event("[" * 100_000)


def sends_what_is_no_gzip(visit: Visit) -> None:
    visit.send_response(200)
    visit.send_header("Content-Type", "text/event-stream")
    visit.send_header("Content-Encoding", "gzip")
    visit.send_header("Content-Length", "5")
    visit.end_headers()
    visit.wfile.write(b"plain")


def sends_an_error_in_the_stream(visit: Visit) -> None:
    visit.begin()
    visit.event({"error": {"message": f"no more for {visit.named().get('authorization')}"}})


def names_the_key(visit: Visit) -> None:
    visit.json(500, {"error": {"message": f"Bad key: {visit.named().get('authorization')}."}})


def counts_too_far(visit: Visit) -> None:
    visit.begin()
    visit.event('{"usage": {"prompt_tokens": 1e999, "completion_tokens": -5}}')


def answers_in_halves_of_letters(visit: Visit) -> None:
    visit.say('{"1": "\\ud83d", "2": "\\u0000", "3": "\\u001b[31m", "4": 4}')


def fails(visit: Visit) -> None:
    visit.json(500, {"error": {"message": "out of order", "code": 500}})


def sends_a_page(visit: Visit) -> None:
    visit.send_response(200)
    visit.send_header("Content-Type", "text/html")
    visit.send_header("Content-Length", "13")
    visit.end_headers()
    visit.wfile.write(b"<html></html>")


def is_silent(visit: Visit) -> None:
    visit.wait_for_the_end()


def begins_and_is_silent(visit: Visit) -> None:
    visit.begin()
    visit.event({"choices": [{"index": 0, "delta": {"content": '{"1": '}}]})
    visit.wait_for_the_end()


def drips(visit: Visit) -> None:
    visit.begin()
    visit.drip((b":\n\n" for _ in range(1_000)), 0.05)


def drips_words(visit: Visit) -> None:
    piece = json.dumps({"choices": [{"index": 0, "delta": {"content": " "}}]})
    visit.begin()
    visit.drip((f"data: {piece}\n\n".encode() for _ in range(1_000)), 0.05)


def is_full(visit: Visit) -> None:
    error = {"code": 400, "message": "too many", "type": "exceed_context_size_error", "n_ctx": 512}
    visit.json(400, {"error": error})


BROKEN = [
    cut,
    not_json,
    lacks_a_line,
    has_more_lines,
    says_a_line_twice,
    refuses,
    filters,
    says_nothing,
    breaks_off,
    sends_anything,
    sends_a_number_too_large,
    sends_what_is_too_deep,
    sends_what_is_no_gzip,
    sends_an_error_in_the_stream,
    counts_too_far,
    answers_in_halves_of_letters,
    fails,
    sends_a_page,
    is_silent,
    begins_and_is_silent,
    drips,
    drips_words,
    is_full,
]


QUICK = [broken for broken in BROKEN if broken not in (is_silent, begins_and_is_silent, drips, drips_words)]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: broken.__name__)
def test_one_bad_answer_costs_nothing_but_a_question(room: Room, server: ChatServer, broken: Broken) -> None:
    def behave(visit: Visit, number: int) -> None:
        broken(visit) if number == 1 else visit.say(answer_of(visit.body))

    server.behaviour = behave
    segments = film(4)
    result = room.run(segments, PATIENT if broken in QUICK else HASTY)
    assert is_whole(room, result, segments)
    assert result.left == 0
    assert len(server.asked) == (3 if broken is is_full else 2)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_goes_wrong_a_line_has_its_own_translation_or_is_left(
    room: Room, server: ChatServer, seed: int, figure: Figure
) -> None:
    chance = random.Random(seed)

    def behave(visit: Visit, number: int) -> None:
        # The first answer is good: an endpoint that never answers is another test.
        broken = number > 1 and chance.random() < 0.6
        chance.choice(QUICK)(visit) if broken else visit.say(answer_of(visit.body))

    server.behaviour = behave
    segments = film(48)
    result = room.run(segments)
    lines = room.lines(result)
    left = [place for place, line in enumerate(lines) if line.marks == ("untranslated",)]
    figure(f"seed {seed}: {len(server.asked)} questions, {len(left)} of 48 lines left")
    assert len(lines) == len(segments)
    assert len(left) == result.left
    for place, (line, segment) in enumerate(zip(lines, segments, strict=True)):
        assert line.text == ("" if place in left else translated(segment.text))
        assert (line.start_ms, line.end_ms) == (segment.start_ms, segment.end_ms)


@pytest.mark.parametrize("broken", [not_json, lacks_a_line, refuses, fails, breaks_off])
def test_a_line_that_the_model_cannot_do_is_left_and_the_others_are_not(
    room: Room, server: ChatServer, broken: Broken
) -> None:
    segments = film(12)

    def behave(visit: Visit, number: int) -> None:
        bad = segments[5].text in lines_in(visit.body).values()
        broken(visit) if bad else visit.say(answer_of(visit.body))

    server.behaviour = behave
    result = room.run(segments)
    lines = room.lines(result)
    assert [line.text for place, line in enumerate(lines) if place != 5] == [
        translated(segment.text) for place, segment in enumerate(segments) if place != 5
    ]
    assert (lines[5].text, lines[5].marks) == ("", ("untranslated",))
    assert (result.left, result.transcript.path) == (1, "translate/draft.pt.json")
    assert len(server.asked) < 16


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "We had 12 of them in the house.",
        "Tínhamos 13 deles em casa.",
        "Sim. " * 60,
        "הם היו 12 בבית שלנו.",
    ],
    ids=["empty", "source", "numbers", "long", "script"],
)
@pytest.mark.parametrize("mends", [True, False])
def test_a_line_that_is_no_translation_is_asked_for_once_more_and_then_left(
    room: Room, server: ChatServer, answer: str, mends: bool
) -> None:
    text, good = "We had 12 of them in the house.", "Tínhamos 12 deles em casa."
    segments = [*film(3), Segment(start_ms=40_000, end_ms=46_000, text=text)]
    asked: list[list[str]] = []

    def behave(visit: Visit, number: int) -> None:
        lines = lines_in(visit.body)
        asked.append(list(lines.values()))
        answers = json.loads(answer_of(visit.body))
        wanted = good if mends and number > 1 else answer
        visit.say(json.dumps({key: wanted if lines[key] == text else answers[key] for key in lines}))

    server.behaviour = behave
    result = room.run(segments)
    assert asked[1:] == [[text]], "the good ones are not asked for again"
    line = room.lines(result)[-1]
    assert (line.text, line.again, result.left) == ((good, True, 0) if mends else ("", False, 1))
    assert result.retried == (1 if mends else 0)


def test_without_retry_what_is_wrong_is_left_at_once(room: Room, server: ChatServer) -> None:
    server.behaviour = lambda visit, _: visit.say(json.dumps(lines_in(visit.body)))
    result = room.run(film(3), retry=False)
    assert (result.left, len(server.asked)) == (3, 1)


def test_a_server_that_is_busy_is_asked_again_when_it_says(room: Room, server: ChatServer) -> None:
    def behave(visit: Visit, number: int) -> None:
        if number <= 2:
            visit.json(429, {"error": {"message": "slow down"}}, Retry_After="0.01")
        else:
            visit.say(answer_of(visit.body))

    server.behaviour = behave
    segments = film(3)
    result = room.run(segments, Patience(retries=2))
    assert is_whole(room, result, segments)
    assert result.notes[0].split(": ")[1].startswith("1 question"), "the client asks again by itself"


@pytest.mark.parametrize("refused", ["response_format", "max_tokens", "temperature", "stream_options"])
def test_what_a_server_does_not_know_is_not_said_to_it(room: Room, server: ChatServer, refused: str) -> None:
    def behave(visit: Visit, number: int) -> None:
        if refused in visit.body:
            hint = " Use 'max_completion_tokens' instead." if refused == "max_tokens" else ""
            visit.json(400, {"error": {"message": f"Unsupported: {refused}.{hint}"}})
        else:
            visit.say(f"<think>Hm: {{}}</think>```json\n{answer_of(visit.body)}\n```")

    server.behaviour = behave
    segments = film(30)
    assert is_whole(room, room.run(segments), segments)
    assert refused not in server.asked[-1]
    assert len(server.asked) <= 4, "it is learnt once"


def test_a_cap_that_was_too_low_is_higher_the_second_time(room: Room, server: ChatServer) -> None:
    def behave(visit: Visit, number: int) -> None:
        cut(visit) if number == 1 else visit.say(answer_of(visit.body))

    server.behaviour = behave
    room.run(film(3))
    first, second = (body["max_tokens"] for body in server.asked)
    assert second == 4 * first


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, UsageError, "does not take the key"),
        (404, MissingError, "no such model"),
        (307, UsageError, "elsewhere"),
        (400, UsageError, "refuses every question"),
    ],
)
def test_what_will_not_mend_is_one_error_at_once(
    room: Room, server: ChatServer, status: int, kind: type[CpwError], words: str
) -> None:
    with ChatServer() as other:
        target = f"{other.url}/chat/completions"
        server.behaviour = lambda visit, _: visit.json(status, {"error": "no"}, Location=target)
        with pytest.raises(kind, match=words):
            room.run(film(30), Patience(retries=0))
        assert other.seen == [], "no redirect is followed"
    assert len(server.asked) <= 3


def test_nobody_at_the_address_may_pass(room: Room, server: ChatServer) -> None:
    with ChatServer() as gone:
        room.environ = {"CPW_LLM": gone.url}
    with pytest.raises(TransientError, match="Nobody answers at 127"):
        room.run(film(3))


@pytest.mark.parametrize("broken", [fails, is_silent, says_nothing])
def test_an_endpoint_that_never_answers_may_pass(room: Room, server: ChatServer, broken: Broken) -> None:
    server.behaviour = lambda visit, _: broken(visit)
    with pytest.raises(TransientError, match="no useful answer"):
        room.run(film(30), Patience(first_s=0.5, retries=0))
    assert len(server.asked) == 4


def test_a_model_that_is_of_no_use_leaves_the_film(room: Room, server: ChatServer) -> None:
    server.behaviour = lambda visit, _: not_json(visit)
    result = room.run(film(40))
    assert result.left == 40
    assert len(server.asked) == 12


@pytest.mark.parametrize("broken", [fails, is_silent])
def test_when_the_endpoint_dies_the_rest_is_left(room: Room, server: ChatServer, broken: Broken) -> None:
    def behave(visit: Visit, number: int) -> None:
        broken(visit) if number > 1 else visit.say(answer_of(visit.body))

    server.behaviour = behave
    result = room.run(film(40), Patience(first_s=1.0, retries=0))
    done = sum(not line.marks for line in room.lines(result))
    assert (done, result.left) == (len(lines_in(server.asked[0])), 40 - done)
    assert "gives no useful answer" in result.notes[-1]


def test_a_film_that_takes_too_long_is_left_before_its_worker_is_killed(
    room: Room, server: ChatServer
) -> None:
    def behave(visit: Visit, number: int) -> None:
        is_silent(visit) if number > 1 else visit.say(answer_of(visit.body))

    server.behaviour = behave
    result = room.run(film(40), Patience(film_s=5.0))
    assert 0 < result.left < 40


def test_a_cancelled_job_lets_go_of_the_server(room: Room, server: ChatServer) -> None:
    asked = threading.Event()

    def behave(visit: Visit, number: int) -> None:
        visit.begin()
        asked.set()
        visit.drip((b":\n\n" for _ in range(1_000)), 0.02)

    server.behaviour = behave

    def cancel() -> None:
        asked.wait()
        room.context.cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    with pytest.raises(CancelledError):
        room.run(film(3), Patience())
    assert server.left.wait(10), "the connection is closed"


def test_what_is_done_is_not_asked_for_again(room: Room, server: ChatServer) -> None:
    segments = film(60)

    def dies_in_the_third(visit: Visit, number: int) -> None:
        if number < 3:
            visit.say(answer_of(visit.body))
        else:
            room.context.cancelled.set()
            is_silent(visit)

    server.behaviour = dies_in_the_third
    with pytest.raises(CancelledError):
        room.run(segments, Patience())
    before = [body["messages"] for body in server.asked]
    server.behaviour = lambda visit, _: visit.say(answer_of(visit.body))
    result = room.run(segments)
    assert is_whole(room, result, segments)
    after = [body["messages"] for body in server.asked[len(before) :]]
    assert after[0] == before[2], "the one in which it died, and no other"
    assert len({json.dumps(messages) for messages in before + after}) == len(before + after) - 1
    assert result.notes[0].split(": ")[1].startswith(f"{len(before + after) - 1} questions")


def test_another_prompt_is_another_scene(room: Room, server: ChatServer) -> None:
    room.run(film(3))
    room.run(film(3))
    assert len(server.asked) == 1
    room.run(film(3), synopsis="Of the weather.")
    room.run(film(3), model="another")
    assert len(server.asked) == 3


def test_a_damaged_kept_scene_is_asked_for_again(room: Room, server: ChatServer) -> None:
    room.run(film(3))
    (kept,) = (room.root / ".scratch" / "translate-pt.kept").iterdir()
    kept.write_text('{"meanings": [')
    room.run(film(3))
    assert len(server.asked) == 2


def test_text_that_leaves_the_machine_is_told_of(room: Room, server: ChatServer) -> None:
    assert not any("left this machine" in note for note in room.run(film(3)).notes)
    # No loopback's address, though the system takes it to the same server.
    room.environ = {"CPW_LLM": server.url.replace("127.0.0.1", "0.0.0.0")}
    note = room.run(film(3)).notes[-1]
    assert note.startswith("The text of the subtitles has left this machine: it was sent to 0.0.0.0:")


def test_silence_asks_nobody(room: Room, server: ChatServer) -> None:
    result = room.run([])
    assert (server.seen, result.notes, result.segment_count) == ([], (), 0)


def test_what_has_no_words_stays(room: Room, server: ChatServer) -> None:
    result = room.run([Segment(start_ms=0, end_ms=1_000, text="♪ ♪"), *film(2)[1:]])
    assert room.lines(result)[0].text == "♪ ♪"
    assert list(lines_in(server.asked[0])) == ["1"]


HALF_A_LETTER = "\ud83d"


def fails_in_half_a_letter(visit: Visit) -> None:
    visit.json(500, {"error": {"message": HALF_A_LETTER}})


def breaks_off_in_half_a_letter(visit: Visit) -> None:
    visit.begin()
    visit.event({"error": {"message": HALF_A_LETTER}})


@pytest.mark.parametrize("broken", [fails_in_half_a_letter, breaks_off_in_half_a_letter])
def test_what_a_server_says_can_be_told(room: Room, server: ChatServer, broken: Broken) -> None:
    server.behaviour = lambda visit, number: (
        visit.say(answer_of(visit.body)) if number == 1 else broken(visit)
    )
    result = room.run(film(30), Patience(retries=0))
    assert result.left
    assert b"?" in "".join(result.notes).encode()


@pytest.mark.parametrize("broken", [names_the_key, sends_an_error_in_the_stream])
def test_the_key_is_sent_and_is_nowhere_else(
    room: Room, server: ChatServer, caplog: pytest.LogCaptureFixture, broken: Broken
) -> None:
    key = "sk-very-secret"
    file = room.root / "key"
    file.write_text(f"{key}\n")
    file.chmod(0o600)
    room.environ["CPW_LLM_KEY_FILE"] = str(file)
    server.behaviour = lambda visit, _: broken(visit)
    caplog.set_level("DEBUG")
    with pytest.raises(TransientError) as raised:
        room.run(film(3), Patience(retries=0))
    assert {headers.get("authorization") for _, headers in server.seen} == {f"Bearer {key}"}
    file.unlink()
    written = "".join(path.read_text() for path in room.root.rglob("*") if path.is_file())
    assert key not in f"{raised.value} {raised.value.remedy} {caplog.text} {written}"
