"""What is told, to whom, until when, and in which words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from unora.identity.v1.device_service_pb2 import NotificationCategory
from unora_notifier.kinds import KINDS
from unora_notifier.texts import TEXTS, text

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ENDS = NOON + timedelta(hours=3)


def test_each_language_has_a_text_for_each_kind_and_none_has_a_place_for_a_name() -> None:
    for language, texts in TEXTS.items():
        assert list(texts) == list(TEXTS["en"]), language
        assert {*texts} == {kind.name for kind in KINDS}
        assert not any(mark in each for each in texts.values() for mark in "{}%")


@pytest.mark.parametrize(
    ("locale", "language"), [("", "en"), ("en-GB", "en"), ("pt-BR", "pt"), ("PT", "pt"), ("ptx", "en"), ("de", "en")]
)
def test_the_language_is_that_of_the_tag_or_english(locale: str, language: str) -> None:
    assert text("match", locale) == TEXTS[language]["match"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_its_members_and_its_end_are_fields_of_its_event(kind: Any) -> None:
    fields = {field: str(number) for number, field in enumerate((*kind.members, *filter(None, [kind.not_on])))}
    message = kind.event(**fields)
    for field in ("day_ends_at", "window_ends_at"):
        if field in message.DESCRIPTOR.fields_by_name:
            getattr(message, field).FromDatetime(ENDS)
            assert kind.until(message, NOON) == ENDS
            return
    assert NOON < kind.until(message, NOON) <= NOON + timedelta(days=1)


def test_only_a_new_device_is_security_and_it_is_not_told_to_the_new_session() -> None:
    apart = {kind.name: NotificationCategory.Name(kind.category) for kind in KINDS if kind.not_on}
    assert apart == {"new device": "NOTIFICATION_CATEGORY_SECURITY"}
    assert len({kind.event for kind in KINDS}) == len(KINDS) == 7
