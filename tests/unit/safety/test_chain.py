"""The audit chain and its verification, pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_common.ids import uuid7
from unora_safety.domain.chain import Entry, Head, SourceEvent, digest, link
from unora_safety.domain.chain_verifier import ChainVerifier

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EMPTY = Head(0, b"")


def events(count: int) -> list[SourceEvent]:
    return [SourceEvent(uuid7(), "unora.streak.v1.checked_in", uuid7(), NOW, bytes([i % 256])) for i in range(count)]


def chain(count: int) -> tuple[list[Entry], Head]:
    entries = link("streak", EMPTY, events(count), NOW)
    return entries, Head(count, entries[-1].hash) if entries else EMPTY


def broken_at(entries: list[Entry], head: Head) -> int:
    verifier = ChainVerifier()
    verifier.check(entries)
    return verifier.finish(head)


@pytest.mark.rule("SA-01")
@given(st.lists(st.integers(0, 5), max_size=8))
def test_a_chain_is_unbroken_for_any_batches_of_events(sizes: list[int]) -> None:
    head, verifier = EMPTY, ChainVerifier()
    for size in sizes:
        entries = link("streak", head, events(size), NOW)
        head = Head(entries[-1].number, entries[-1].hash) if entries else head
        verifier.check(entries)
    assert verifier.finish(head) == 0
    assert head.length == sum(sizes)


CHANGES: dict[str, Callable[[Entry], Entry]] = {
    "source_context": lambda e: e._replace(source_context="matching"),
    "event_id": lambda e: e._replace(event_id=uuid7()),
    "subject": lambda e: e._replace(subject="unora.streak.v1.day_began"),
    "aggregate_id": lambda e: e._replace(aggregate_id=uuid7()),
    "occurred_at": lambda e: e._replace(occurred_at=e.occurred_at + timedelta(microseconds=1)),
    "recorded_at": lambda e: e._replace(recorded_at=e.recorded_at - timedelta(microseconds=1)),
    "payload": lambda e: e._replace(payload=e.payload + b"\0"),
    "previous_hash": lambda e: e._replace(previous_hash=bytes(32)),
    "hash": lambda e: e._replace(hash=bytes(32)),
}


@pytest.mark.rule("SA-01")
@pytest.mark.parametrize("column", CHANGES)
@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_change_of_any_column_is_found(column: str, number: int) -> None:
    entries, head = chain(7)
    entries[number - 1] = CHANGES[column](entries[number - 1])
    assert broken_at(entries, head) == number


@pytest.mark.rule("SA-01")
def test_a_changed_row_with_a_new_hash_is_found_at_the_next_row() -> None:
    entries, head = chain(7)
    changed = entries[3]._replace(payload=b"forged")
    entries[3] = changed._replace(hash=digest(changed))
    assert broken_at(entries, head) == 5


@pytest.mark.rule("SA-01")
def test_a_forged_end_is_found_by_the_head() -> None:
    entries, head = chain(7)
    changed = entries[6]._replace(payload=b"forged")
    entries[6] = changed._replace(hash=digest(changed))
    assert broken_at(entries, head) == 7


@pytest.mark.rule("SA-01")
@pytest.mark.parametrize("number", [1, 4, 7])
def test_a_missing_row_is_found(number: int) -> None:
    entries, head = chain(7)
    del entries[number - 1]
    assert broken_at(entries, head) == number


@pytest.mark.rule("SA-01")
def test_rows_that_changed_places_are_found() -> None:
    entries, head = chain(7)
    third, fifth = entries[2], entries[4]
    entries[2], entries[4] = fifth._replace(number=3), third._replace(number=5)
    assert broken_at(entries, head) == 3


@pytest.mark.rule("SA-01")
def test_a_duplicated_row_is_found() -> None:
    entries, head = chain(7)
    entries.insert(3, entries[2])
    assert broken_at(entries, head) == 3


@pytest.mark.rule("SA-01")
@pytest.mark.parametrize("kept", [0, 1, 6])
def test_a_cut_tail_is_found_by_the_head(kept: int) -> None:
    entries, head = chain(7)
    assert broken_at(entries[:kept], head) == kept + 1


@pytest.mark.rule("SA-01")
def test_rows_beyond_the_head_are_found() -> None:
    entries, _ = chain(7)
    assert broken_at(entries, Head(5, entries[4].hash)) == 6
    assert broken_at(entries, EMPTY) == 1


def test_the_encoding_never_changes() -> None:
    """Rows of earlier years must keep their hashes."""
    entry = Entry(
        *("streak", 1, UUID(int=1), "unora.streak.v1.checked_in", UUID(int=2)),
        *(NOW, NOW + timedelta(microseconds=1), b"payload", b"", b""),
    )
    assert digest(entry).hex() == "05b616bc58f8d491e9d6bd65bca4f726328a3a26c38eeccd359fd7a2a24da29d"


@given(st.text(max_size=5), st.text(max_size=5), st.binary(max_size=5))
def test_bytes_that_move_between_columns_change_the_hash(subject: str, more: str, payload: bytes) -> None:
    entry = Entry("streak", 1, UUID(int=1), subject + more, UUID(int=2), NOW, NOW, payload, b"", b"")
    other = entry._replace(subject=subject, payload=more.encode() + payload)
    assert (digest(entry) == digest(other)) == (not more)
