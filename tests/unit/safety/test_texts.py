"""PR-12: what members write to the moderators."""

import pytest
from unora_common.errors import InvalidArgument
from unora_safety.messages.members import from_text

pytestmark = pytest.mark.rule("PR-12")


@pytest.mark.parametrize(
    "nothing", [" ", "\n", "\u2800", "\u3164", "\u115f", "\uffa0", "\U0001d159", "\u200b\ufeff", "\u0301", "\ue000"]
)
def test_a_text_that_shows_nothing_is_empty(nothing: str) -> None:
    assert from_text("note", nothing, 10) == ""
    with pytest.raises(InvalidArgument) as refused:
        from_text("text", nothing, 10, required=True)
    assert refused.value.violations == {"text": "is empty"}


@pytest.mark.parametrize("one", ["x", "e\u0301", "क्षि", "👨‍👩‍👧‍👦"])
def test_lengths_count_graphemes(one: str) -> None:
    assert from_text("note", one * 10, 10)
    with pytest.raises(InvalidArgument) as refused:
        from_text("note", one * 11, 10)
    assert list(refused.value.violations) == ["note"]


def test_evidence_stays_as_it_was_written() -> None:
    assert from_text("note", "  they wrote a\u200db\u202ec \n", 100) == "they wrote a\u200db\u202ec"
    with pytest.raises(InvalidArgument):
        from_text("note", "a\0b", 100)
