"""ID-02: the code sent to a phone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from unora_identity.domain.phone_codes import (
    Attempt,
    Challenge,
    IssuedCode,
    TooManyCodes,
    Verdict,
    issue_challenge,
    try_code,
)
from unora_identity.domain.policy import Policy

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
POLICY = Policy()
RIGHT, WRONG = b"right" * 6, b"wrong" * 6
CALL = uuid4()


def issued(at: datetime, sent_at: datetime | None) -> IssuedCode:
    return IssuedCode(id=uuid4(), request_id=uuid4(), issued_at=at, expires_at=at + POLICY.code_life, sent_at=sent_at)


def challenge(sent: list[datetime] | None = None, now: datetime = NOW) -> Challenge:
    earlier = [issued(at, at) for at in sent or []]
    return issue_challenge(
        challenge_id=uuid4(), phone_hash=b"phone", code_hash=RIGHT, earlier=earlier, now=now, policy=POLICY
    )


def enter(to: Challenge, code: bytes, *, call: UUID = CALL, after: timedelta = timedelta(seconds=30)) -> Attempt:
    return try_code(to, code, call, NOW + after, POLICY)


def after_wrong_tries(count: int) -> Challenge:
    state = challenge()
    for _ in range(count):
        state = enter(state, WRONG).challenge
    return state


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        (timedelta(0), Verdict.ACCEPTED),
        (timedelta(minutes=10) - timedelta(microseconds=1), Verdict.ACCEPTED),
        (timedelta(minutes=10), Verdict.CLOSED),
        (timedelta(days=1), Verdict.CLOSED),
    ],
)
def test_a_code_is_valid_for_ten_minutes(after: timedelta, verdict: Verdict) -> None:
    assert enter(challenge(), RIGHT, after=after).verdict is verdict


@pytest.mark.rule("ID-02")
def test_each_wrong_try_is_counted_and_the_fifth_is_the_last() -> None:
    state = challenge()
    left = []
    for _ in range(5):
        tried = enter(state, WRONG)
        assert tried.verdict is Verdict.WRONG
        assert tried.refusal is not None
        left.append(tried.refusal.metadata["tries_left"])
        state = tried.challenge
    assert left == ["4", "3", "2", "1", "0"]
    late = enter(state, RIGHT)
    assert late.verdict is Verdict.CLOSED
    assert late.challenge == state


@pytest.mark.rule("ID-02")
def test_the_fifth_try_may_be_the_right_one() -> None:
    assert enter(after_wrong_tries(4), RIGHT).verdict is Verdict.ACCEPTED


@pytest.mark.rule("ID-02")
def test_a_code_is_used_once() -> None:
    used = enter(challenge(), RIGHT).challenge
    assert used.used_at is not None
    again = enter(used, RIGHT, call=uuid4())
    assert again.verdict is Verdict.CLOSED
    assert again.refusal is not None
    assert again.refusal.reason == "CHALLENGE_CLOSED"


@pytest.mark.rule("ID-02")
def test_the_call_that_used_a_code_may_be_repeated_while_the_code_is_valid() -> None:
    used = enter(challenge(), RIGHT).challenge
    assert enter(used, RIGHT) == Attempt(used, Verdict.REPEATED)
    assert enter(used, WRONG).verdict is Verdict.WRONG
    assert enter(used, RIGHT, after=timedelta(minutes=10)).verdict is Verdict.CLOSED


@pytest.mark.rule("ID-02")
def test_five_codes_an_hour_for_one_phone() -> None:
    times = [NOW - timedelta(minutes=minutes) for minutes in (50, 40, 30, 20)]
    assert challenge(times).issued_at == NOW
    with pytest.raises(TooManyCodes) as refused:
        challenge([*times, NOW - timedelta(minutes=1)])
    assert refused.value.metadata == {"retry_at": (NOW + timedelta(minutes=10)).isoformat()}


@pytest.mark.rule("ID-02")
def test_the_hour_slides() -> None:
    times = [NOW - timedelta(hours=1) + timedelta(seconds=second) for second in range(1, 6)]
    with pytest.raises(TooManyCodes) as refused:
        challenge(times)
    retry_at = datetime.fromisoformat(refused.value.metadata["retry_at"])
    assert challenge(times, now=retry_at).issued_at == retry_at
    with pytest.raises(TooManyCodes):
        challenge(times, now=retry_at - timedelta(microseconds=1))


@pytest.mark.rule("ID-02")
def test_a_code_that_was_never_sent_counts_only_while_it_may_still_be_sent() -> None:
    def ask(*earlier: IssuedCode, now: datetime) -> Challenge:
        return issue_challenge(
            challenge_id=uuid4(), phone_hash=b"phone", code_hash=RIGHT, earlier=earlier, now=now, policy=POLICY
        )

    sent = [issued(NOW, NOW) for _ in range(4)]
    begun, over = issued(NOW, None), NOW + 2 * POLICY.code_sending
    with pytest.raises(TooManyCodes):
        ask(*sent, begun, now=over - timedelta(microseconds=1))
    assert ask(*sent, begun, now=over).issued_at == over
    assert [begun.counts_as_sent(at, POLICY) for at in (NOW, over)] == [True, False]
    assert all(code.counts_as_sent(over, POLICY) for code in sent)
