"""A real llama.cpp server with a real, small model: it keeps to the interface as this program speaks it.

The model is too small to translate: what is shown is that its answers, and its refusals, are understood, and
that a film comes out whole when most of its lines are left to the next translator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import envspecs
from protocol.artefacts import write_json
from protocol.errors import CpwError
from protocol.schema import to_plain
from tests.conftest import Figure
from tests.llm.llama_server import LlamaServer, weights
from tests.lone_translator import LoneTranslator, texts_of
from workers.engines.llm.answers import read_answer
from workers.engines.llm.endpoint import Endpoint
from workers.engines.llm.failing import CutShortError, TooLongError
from workers.engines.llm.settings import Patience, read_settings

pytestmark = [pytest.mark.env("llm", "bergamot"), pytest.mark.slow, pytest.mark.timeout(300)]

CONTEXT = 1_024
LINES = ["We are going home.", "Who is there?", "It is raining."]


@pytest.fixture(scope="module")
def server() -> Iterator[LlamaServer]:
    pytest.importorskip("xllamacpp", reason="there is no llama.cpp for this machine in the packages")
    try:
        model = weights("smollm2-135m-instruct")
    except CpwError as error:
        pytest.skip(f"the weights cannot be had: {error.message}")
    with LlamaServer(model, CONTEXT) as found:
        yield found


@pytest.fixture
def endpoint(server: LlamaServer) -> Iterator[Endpoint]:
    with Endpoint(read_settings({"CPW_LLM": server.url}), Patience(), lambda: None) as found:
        yield found


def question(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"Answer in JSON. Say a word of French for each number. {text}"}]


def test_an_answer_has_a_text_for_each_number(endpoint: Endpoint, figure: Figure) -> None:
    model = endpoint.model("")
    answer = endpoint.ask(model, question("1: dog, 2: cat, 3: house"), 3, 400)
    figure(f"{model}: {answer.tokens_in} tokens read, {answer.tokens_out} written, {answer.text!r}")
    assert len(read_answer(answer, 3)) == 3
    assert answer.tokens_in > 10
    assert answer.tokens_out > 10


def test_an_answer_that_is_cut_in_spite_of_its_form_is_found_out(endpoint: Endpoint) -> None:
    answer = endpoint.ask("any", question("1: dog, 2: cat, 3: house"), 3, 4)
    assert answer.end == "length"
    with pytest.raises(CutShortError):
        read_answer(answer, 3)


def test_a_question_that_is_too_long_is_told_from_one_that_is_wrong(endpoint: Endpoint) -> None:
    with pytest.raises(TooLongError):
        endpoint.ask("any", question("word " * 2 * CONTEXT), 3, 100)


def test_what_the_model_leaves_is_done_by_the_next_translator(server: LlamaServer, figure: Figure) -> None:
    store = envspecs.models_directory()
    with LoneTranslator("llm", store, CPW_LLM=server.url) as worker:
        draft, first = worker.translate(LINES, "en-pt", "endpoint")
    figure(f"{'; '.join(first.notes)}: {texts_of(draft)}")
    assert first.segment_count == len(LINES)
    assert first.left == sum(not segment.text for segment in draft.segments)
    assert "left by model.gguf" in first.notes[-1] or not first.left
    # However few the model could do: one at least is the next translator's here.
    left = replace(draft.segments[0], text="", words=(), marks=("untranslated",))
    draft = replace(draft, segments=(left, *draft.segments[1:]))
    with LoneTranslator("bergamot", store) as worker:
        path = worker.worker.folder / "draft.json"
        write_json(path, to_plain(draft))
        made, second = worker.translate(
            LINES, "en-pt", "bergamot-en-pt", draft=worker.worker.take_in(path, "in/draft.json")
        )
    assert second.left == 0
    assert all(segment.text for segment in made.segments)
    assert made.segments[0].engine == "bergamot"
    done = [segment for segment in draft.segments if segment.text]
    assert [segment for segment in made.segments if segment.engine == "llm"] == done
