"""The real model that judges languages, for tests: where the store has it."""

from __future__ import annotations

import pytest

from envspecs.layout import models_directory
from envspecs.models.registry import has_model
from workers.models import ModelShelf
from workers.text.languages.model import LANGUAGE_MODEL, judge_of
from workers.text.languages.telling import Judge

__all__ = ["real_judge", "shelf_with_judge"]


def shelf_with_judge() -> ModelShelf:
    """Return the models of this checkout's store; skip the test where the one for languages is not there."""
    if not has_model(LANGUAGE_MODEL, models_directory()):
        pytest.skip(f"the model {LANGUAGE_MODEL} is not in the store: cpw models fetch {LANGUAGE_MODEL}")
    return ModelShelf(models_directory())


def real_judge() -> Judge:
    """Return the model itself, or skip the test."""
    judge = judge_of(shelf_with_judge())
    assert judge is not None
    return judge
