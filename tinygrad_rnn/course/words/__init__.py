"""The catalogue: every sentence of the course machine that a learner reads, one TOML file a subject, to be translated.

The sentences of a lesson (titles, hints, mistakes) stand in its own lesson.toml.
"""

from __future__ import annotations

import os
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGE = "TINYGRAD_RNN_LANGUAGE"  # names a folder beside this file; English stands in for what a translation lacks


@cache
def _subject(language: str, subject: str) -> dict[str, str]:
    path = Path(__file__).parent / language / f"{subject}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def say(key: str, /, **values: Any) -> str:
    """The sentence `subject.name` of the catalogue, its `{places}` filled in with `values`.

    >>> say("steps.step", number=3, index=2)
    'step 3 (index 2)'
    """
    subject, _, name = key.partition(".")
    language = os.environ.get(LANGUAGE, "en")
    sentence = _subject(language, subject).get(name) if language.isalnum() else None
    return (sentence or _subject("en", subject)[name]).format(**values)
