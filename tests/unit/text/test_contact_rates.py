"""PR-10: how well the contact guard reads texts that it was not tuned on.

A failing test names a language and a rate, never a text: the held-out part is not for reading. Widen the kinds that the
guard finds, with examples of your own, until the rates hold: `python -m unora_tools.contact_rates` prints them.
"""

from __future__ import annotations

import pytest
from unora_tools.contact_rates import Rate, rates

from tests.contact_corpus import Part, load

pytestmark = pytest.mark.rule("PR-10")
LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "xx")
MOST_MISSED = 0.05
MOST_REFUSED = 0.01
PARTS: tuple[Part, ...] = ("held_out", "tuning")


@pytest.fixture(scope="module", params=PARTS)
def by_language(request: pytest.FixtureRequest) -> dict[tuple[str, str], Rate]:
    return rates(load(request.param), "language")


@pytest.mark.parametrize("language", LANGUAGES)
def test_95_of_100_evasions_are_refused(by_language: dict[tuple[str, str], Rate], language: str) -> None:
    missed = by_language["evasion", language]
    assert missed.share <= MOST_MISSED, f"{language}: {missed.wrong} of {missed.of} evasions are not refused"


@pytest.mark.parametrize("language", LANGUAGES)
def test_99_of_100_harmless_texts_pass(by_language: dict[tuple[str, str], Rate], language: str) -> None:
    refused = by_language["harmless", language]
    allowed = max(1, int(MOST_REFUSED * refused.of))  # one of fewer than a hundred is more than 1 %
    assert refused.wrong <= allowed, f"{language}: {refused.wrong} of {refused.of} harmless texts are refused"
