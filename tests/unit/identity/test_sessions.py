"""ID-03: a session and its family of refresh tokens."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unora_identity.domain.policy import Policy
from unora_identity.domain.sessions import (
    THROWN_OUT,
    RefreshToken,
    Refused,
    Reissued,
    Revocation,
    Rotated,
    Session,
    SignInTooOld,
    carried_roles,
    open_session,
    reissue,
    require_recent_sign_in,
    rotate,
)

NOW = datetime(2026, 1, 10, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = Policy()


@dataclass
class Family:
    """A store in a few lines: it saves what the rules return."""

    session: Session
    tokens: dict[bytes, RefreshToken] = field(default_factory=dict)

    def present(self, token: bytes, *, call: UUID | None = None, at: datetime = NOW) -> bytes | None:
        known = self.tokens[token]
        successor = self.tokens[known.successor] if known.successor else None
        fresh_hash = b"%d" % len(self.tokens)
        done = rotate(
            self.session, known, successor, fresh_hash=fresh_hash, request_id=call or uuid4(), now=at, policy=POLICY
        )
        match done:
            case Rotated(used, fresh, voided):
                for saved in (used, fresh, voided):
                    if saved is not None:
                        self.tokens[saved.hash] = saved
                return fresh.hash
            case Refused(session, refusal):
                assert (refusal.code, refusal.reason) == ("UNAUTHENTICATED", "SESSION_INVALID")
                self.session = session
                return None


@pytest.fixture
def family() -> Family:
    session, token = open_session(session_id=uuid4(), user_id=uuid4(), token_hash=b"0", now=NOW, policy=POLICY)
    return Family(session, {b"0": token})


def next_of(family: Family, token: bytes, *, call: UUID | None = None, at: datetime = NOW) -> bytes:
    fresh = family.present(token, call=call, at=at)
    assert fresh is not None
    return fresh


@pytest.mark.rule("ID-03")
def test_each_use_gives_a_new_token_with_thirty_days_of_its_own(family: Family) -> None:
    second = next_of(family, b"0", at=NOW + 29 * DAY)
    assert family.tokens[second].expires_at == NOW + 59 * DAY
    assert family.present(second, at=NOW + 58 * DAY) is not None


@pytest.mark.rule("ID-03")
def test_a_token_expires_after_thirty_days(family: Family) -> None:
    assert family.present(b"0", at=NOW + 30 * DAY) is None
    assert family.session.revoked_at is None


@pytest.mark.rule("ID-03")
def test_using_a_token_twice_revokes_the_family(family: Family) -> None:
    second = next_of(family, b"0")
    assert family.present(b"0") is None
    assert family.session.revocation is Revocation.REUSE
    assert family.present(second) is None


@pytest.mark.rule("ID-03")
def test_a_repeat_of_the_same_call_gets_a_token_in_place_of_the_lost_one(family: Family) -> None:
    call = uuid4()
    lost = next_of(family, b"0", call=call)
    fresh = next_of(family, b"0", call=call)
    third = next_of(family, fresh)
    assert family.present(lost) is None
    assert family.session.revocation is Revocation.REUSE
    assert family.present(third) is None


@pytest.mark.rule("ID-03")
def test_a_repeat_after_the_family_has_moved_on_is_a_reuse(family: Family) -> None:
    call = uuid4()
    next_of(family, next_of(family, b"0", call=call))
    assert family.present(b"0", call=call) is None
    assert family.session.revocation is Revocation.REUSE


@pytest.mark.rule("ID-03")
def test_the_first_revocation_stands(family: Family) -> None:
    next_of(family, b"0")
    family.present(b"0")
    first = family.session
    assert (first.revoked_at, first.revocation) == (NOW, Revocation.REUSE)
    family.present(b"0", at=NOW + DAY)
    assert family.session == first


@pytest.mark.rule("ID-02", "ID-03")
def test_a_repeated_sign_in_gets_a_token_until_one_was_exchanged(family: Family) -> None:
    def again(fresh_hash: bytes) -> Reissued | Refused:
        tokens = list(family.tokens.values())
        return reissue(family.session, tokens, fresh_hash=fresh_hash, now=NOW, policy=POLICY)

    for number in (b"1", b"2"):
        done = again(number)
        assert isinstance(done, Reissued)
        family.tokens |= {token.hash: token for token in (*done.voided, done.fresh)}
        assert [token.hash for token in family.tokens.values() if token.used_at is None] == [number]
    next_of(family, b"2")
    assert isinstance(again(b"4"), Refused)
    assert family.present(b"1") is None
    assert family.session.revocation is Revocation.REUSE
    assert isinstance(again(b"5"), Refused)


@pytest.mark.rule("ID-03")
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2)), max_size=30))
def test_a_family_never_has_two_unused_tokens(steps: list[tuple[int, int]]) -> None:
    session, token = open_session(session_id=uuid4(), user_id=uuid4(), token_hash=b"0", now=NOW, policy=POLICY)
    family, calls = Family(session, {b"0": token}), [uuid4() for _ in range(3)]
    for which, call in steps:
        family.present(b"%d" % (which % len(family.tokens)), call=calls[call])
        assert sum(token.used_at is None for token in family.tokens.values()) == 1


@pytest.fixture
def admins() -> Family:
    """The family of a session that carries the role admin."""
    session, token = open_session(
        session_id=uuid4(), user_id=uuid4(), token_hash=b"0", now=NOW, policy=POLICY, as_admin=True
    )
    return Family(session, {b"0": token})


@pytest.mark.rule("ID-15")
def test_an_admins_session_ends_an_hour_after_the_sign_in_however_often_it_is_refreshed(admins: Family) -> None:
    hour, token = NOW + timedelta(hours=1), b"0"
    assert admins.session.admin_until == admins.tokens[token].expires_at == hour
    for minutes in (10, 30, 59):
        token = next_of(admins, token, at=NOW + timedelta(minutes=minutes))
        assert admins.tokens[token].expires_at == hour
    assert admins.present(token, at=hour) is None
    assert admins.session.revoked_at is None


@pytest.mark.rule("ID-15")
def test_the_hour_counts_whatever_the_token_says(admins: Family) -> None:
    """A version that knows no hour may have made it."""
    admins.tokens[b"0"] = replace(admins.tokens[b"0"], expires_at=NOW + 30 * DAY)
    hour = NOW + timedelta(hours=1)
    assert admins.present(b"0", at=hour) is None
    again = reissue(admins.session, list(admins.tokens.values()), fresh_hash=b"1", now=hour, policy=POLICY)
    assert isinstance(again, Refused)


@pytest.mark.rule("ID-15")
def test_only_a_session_with_the_second_factor_carries_the_role(family: Family, admins: Family) -> None:
    assert carried_roles(family.session, ["admin", "other"]) == ["other"]
    assert carried_roles(admins.session, ["admin", "other"]) == ["admin", "other"]
    assert carried_roles(admins.session, []) == []


@pytest.mark.rule("ID-14")
def test_a_sign_in_is_recent_for_fifteen_minutes(family: Family) -> None:
    edge = NOW + timedelta(minutes=15)
    require_recent_sign_in(family.session, edge - timedelta(microseconds=1), POLICY)
    with pytest.raises(SignInTooOld):
        require_recent_sign_in(family.session, edge, POLICY)


@pytest.mark.rule("ID-12")
def test_a_device_whose_latest_session_was_thrown_out_is_not_known() -> None:
    known = {cause for cause in (None, *Revocation) if cause not in THROWN_OUT}
    assert known == {None, Revocation.MEMBER, Revocation.SUSPENSION, Revocation.ROLE, Revocation.CLOSING}
