"""ID-02: the code sent to a phone."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from unora_common.errors import InvalidArgument
from unora_identity.domain.code_budgets import Budget, TooManyCodes
from unora_identity.domain.phone_codes import (
    Attempt,
    Challenge,
    IssuedCode,
    Verdict,
    issue_challenge,
    read_code,
    try_code,
)
from unora_identity.domain.policy import Policy

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)
POLICY = Policy()
RIGHT, WRONG = b"right" * 6, b"wrong" * 6
CALL = uuid4()


def issued(
    at: datetime, sent_at: datetime | None, known_device: bytes | None = None, *, undelivered: bool = False
) -> IssuedCode:
    return IssuedCode(
        id=uuid4(),
        request_id=uuid4(),
        known_device=known_device,
        account_only=False,
        issued_at=at,
        expires_at=at + POLICY.code_life,
        sent_at=sent_at,
        undelivered=undelivered,
    )


def ask(*earlier: IssuedCode, now: datetime = NOW, known_device: bytes | None = None) -> Challenge:
    return issue_challenge(
        challenge_id=uuid4(),
        phone_hash=b"phone",
        phone_hashes=(b"phone",),
        code_hash=RIGHT,
        earlier=earlier,
        known_device=known_device,
        account_only=False,
        now=now,
        policy=POLICY,
    )


def challenge(sent: list[datetime] | None = None, now: datetime = NOW) -> Challenge:
    return ask(*(issued(at, at) for at in sent or []), now=now)


def enter(
    to: Challenge,
    code: bytes,
    *,
    call: UUID = CALL,
    after: timedelta = timedelta(seconds=30),
    wrong_before: int = 0,
) -> Attempt:
    return try_code(to, code, call, NOW + after, POLICY, wrong_before=wrong_before)


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
    assert refused.value.metadata == {"retry_after": "3600"}, "the hint tells nothing of when the codes were asked for"


@pytest.mark.rule("ID-02")
def test_the_hour_slides() -> None:
    times = [NOW - timedelta(hours=1) + timedelta(seconds=second) for second in range(1, 6)]
    free_at = NOW + timedelta(seconds=1)
    assert challenge(times, now=free_at).issued_at == free_at
    with pytest.raises(TooManyCodes):
        challenge(times, now=free_at - timedelta(microseconds=1))


@pytest.mark.rule("ID-02")
def test_a_device_that_the_account_knows_has_codes_of_its_own() -> None:
    strangers = [issued(NOW, NOW) for _ in range(5)]
    with pytest.raises(TooManyCodes) as spent:
        ask(*strangers)
    assert ask(*strangers, known_device=b"own").known_device == b"own"
    own = [issued(NOW, NOW, b"own") for _ in range(5)]
    assert ask(*own).known_device is None, (
        "what the owner asked for bars no stranger, so a stranger learns nothing of it"
    )
    with pytest.raises(TooManyCodes) as own_spent:
        ask(*own, known_device=b"own")
    assert ask(*own, known_device=b"other").known_device == b"other"
    assert (spent.value.budget, own_spent.value.budget) == (Budget.NUMBER, Budget.KNOWN_DEVICE)
    assert spent.value.metadata == own_spent.value.metadata


@pytest.mark.rule("ID-02")
def test_many_known_devices_bring_no_codes_without_end() -> None:
    of_three = [issued(NOW, NOW, device) for device in (b"1", b"2", b"3") for _ in range(5)]
    assert ask(*of_three[:14], known_device=b"4").known_device == b"4"
    with pytest.raises(TooManyCodes):
        ask(*of_three, known_device=b"4")


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize(
    "typed",
    [
        *(
            "123456",
            " 123 456 ",
            "123-456",
            "12\u201134\u201356",
            "1 2 3 4 5 6",
            "123\u00a0456",
            "123\u200b456",
            "123456\n",
        ),
        *("١٢٣٤٥٦", "۱۲۳۴۵۶", "१२३४५६", "１２３４５６", "１２３\u3000４５６", "\u202d123456\u202c"),
    ],
)
def test_a_code_may_be_typed_with_spaces_dashes_and_in_any_digits(typed: str) -> None:
    assert read_code(typed, POLICY) == "123456"


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12345x", "123.456x", "①②③④⑤⑥", "¹²³⁴⁵⁶", "12345½", "六六六六六六"]
)
def test_what_is_no_code_is_refused_by_its_field(typed: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        read_code(typed, POLICY)
    assert list(refused.value.violations) == ["code"]


@pytest.mark.rule("ID-02")
def test_after_twenty_wrong_codes_for_a_number_no_code_is_judged() -> None:
    assert enter(challenge(), WRONG, wrong_before=19).verdict is Verdict.WRONG
    for code in (RIGHT, WRONG):
        tried = enter(challenge(), code, wrong_before=20)
        assert tried.verdict is Verdict.CLOSED
        assert tried.refusal is not None
        assert (tried.refusal.reason, tried.refusal.metadata) == ("TOO_MANY_TRIES", {"retry_after": "86400"})


@pytest.mark.rule("ID-02")
def test_a_repeat_of_the_call_that_used_a_code_is_no_try() -> None:
    used = enter(challenge(), RIGHT, wrong_before=19).challenge
    assert enter(used, RIGHT, wrong_before=20).verdict is Verdict.REPEATED


@pytest.mark.rule("ID-02")
def test_a_code_that_was_never_sent_counts_only_while_it_may_still_be_sent() -> None:
    sent = [issued(NOW, NOW) for _ in range(4)]
    begun, over = issued(NOW, None), NOW + 2 * POLICY.code_sending
    with pytest.raises(TooManyCodes):
        ask(*sent, begun, now=over - timedelta(microseconds=1))
    assert ask(*sent, begun, now=over).issued_at == over
    assert [begun.counts_as_sent(at, POLICY) for at in (NOW, over)] == [True, False]
    assert all(code.counts_as_sent(over, POLICY) for code in sent)


@pytest.mark.rule("ID-02")
@pytest.mark.parametrize(
    ("arrived", "failed", "another"),
    [(4, 0, True), (5, 0, False), (4, 1, True), (4, 5, True), (4, 6, False), (0, 10, False)],
)
@pytest.mark.parametrize("device", [None, b"own"])
def test_a_code_that_did_not_arrive_makes_room_but_not_without_end(
    arrived: int, failed: int, another: bool, device: bytes | None
) -> None:
    sent = [issued(NOW, NOW, device, undelivered=number < failed) for number in range(arrived + failed)]
    if another:
        assert ask(*sent, known_device=device)
    else:
        with pytest.raises(TooManyCodes):
            ask(*sent, known_device=device)
