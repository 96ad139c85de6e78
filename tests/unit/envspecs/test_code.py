from __future__ import annotations

import pytest

from envspecs.code import code_digest


@pytest.fixture
def checkout(tmp_path):
    for name in ("protocol/a.py", "workers/engines/b.py", "coordinator/store/schema.sql", "clients/c.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "supervisor.py").write_text("supervisor")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["protocol/a.py", "workers/engines/b.py", "coordinator/store/schema.sql", "supervisor.py"]
)
def test_what_the_house_runs_counts(checkout, name):
    before = code_digest(checkout)
    (checkout / name).write_text("another")
    assert before != code_digest(checkout) != ""


def test_a_file_that_comes_goes_or_is_renamed_counts(checkout):
    seen = [code_digest(checkout)]
    (checkout / "workers" / "new.py").write_text("")
    seen.append(code_digest(checkout))
    (checkout / "workers" / "new.py").rename(checkout / "workers" / "newer.py")
    seen.append(code_digest(checkout))
    assert len(set(seen)) == 3
    (checkout / "workers" / "newer.py").unlink()
    assert code_digest(checkout) == seen[0]


def test_commands_documents_and_times_do_not_count(checkout):
    before = code_digest(checkout)
    (checkout / "clients" / "c.py").write_text("another")
    (checkout / "workers" / "notes.md").write_text("a note")
    (checkout / "supervisor.py").touch()
    assert code_digest(checkout) == before


def test_what_cannot_be_read_says_nothing(checkout):
    (checkout / "supervisor.py").unlink()
    assert code_digest(checkout) == ""
