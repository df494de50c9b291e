"""Every refusal tells a person what is the matter, in a sentence of its own."""

from __future__ import annotations

import re
from typing import Final

import pytest
from unora_tools.reference import Refusal, refusals

ALL = list(refusals())
SENTENCES = re.compile(r"[A-Z][^.]*\.(?: [A-Z][^.]*\.)?")
INTERNAL: Final = re.compile(
    r"\b(requests?|ids?|fields?|providers?|tokens?|refresh the|proof|pending|metadata|arguments?|payload|in work)\b"
)
FROM_A_PROVIDER: Final = {"EVENT_UNREADABLE", "REPORT_UNREADABLE", "RESULT_UNREADABLE", "SIGNATURE_INVALID"}
"""Answers to the webhooks of a provider, which no member sees."""


@pytest.mark.parametrize("refusal", [pytest.param(each, id=f"{each.package}.{each.reason}") for each in ALL])
def test_a_refusal_has_one_or_two_plain_sentences(refusal: Refusal) -> None:
    said = refusal.sentence
    assert SENTENCES.fullmatch(said), f"give the class a `sentence` that a member can read: {said!r}"
    assert len(said) <= 120
    assert not re.search(r"[A-Z]{2}-\d|[A-Z]+_[A-Z]+|`", said), "rules and code are for docstrings"
    if refusal.reason not in FROM_A_PROVIDER:
        assert not INTERNAL.search(said), "a member does not know this word"


def test_one_reason_of_a_context_has_one_sentence() -> None:
    said: dict[tuple[str, str], set[str]] = {}
    for each in ALL:
        said.setdefault((each.package, each.reason), set()).add(each.sentence)
    assert [reason for reason, sentences in said.items() if len(sentences) > 1] == []
