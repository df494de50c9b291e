"""ID-06: providers of Gov ID checks, and the results of checks."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from urllib.error import URLError
from urllib.request import Request
from uuid import uuid4

import pytest
from unora_identity.domain.policy import Policy
from unora_identity.domain.signals import Outcome, TooManyChecks, after_result, require_few_checks
from unora_identity.providers import https
from unora_identity.providers.gov_id import (
    Claims,
    GovIdUnavailable,
    HttpGovId,
    NoGovId,
    SandboxGovId,
    SignatureInvalid,
    Webhooks,
)

from tests.measures import provider_calls

pytestmark = pytest.mark.rule("ID-06")
SECRET, NOW = b"s" * 32, datetime(2026, 3, 1, 12, tzinfo=UTC)
ADA = Claims(name="Ada Quixley", date_of_birth="1990-12-10")
PENDING, VERIFIED, REFUSED = Outcome.PENDING, Outcome.VERIFIED, Outcome.REFUSED


class Answer(io.BytesIO):
    """An answer of the provider."""

    status = 200


def http() -> HttpGovId:
    return HttpGovId(
        SECRET, endpoint="https://gov.invalid/checks", api_key="key", name="gov", calls=provider_calls("gov_id")
    )


async def test_the_sandbox_calls_no_provider_and_its_page_does_not_name_the_member() -> None:
    reference = uuid4()
    url = await SandboxGovId(SECRET, "https://page.invalid").start(reference, ADA)
    assert url == f"https://page.invalid?reference={reference}"


async def test_a_real_provider_is_asked_by_https_with_the_reference_as_key(monkeypatch: pytest.MonkeyPatch) -> None:
    requests: list[Request] = []

    def answer(request: Request, timeout: float) -> Any:
        requests.append(request)
        return Answer(b'{"url": "https://gov.invalid/c/1"}')

    monkeypatch.setattr(https, "urlopen", answer)
    reference = uuid4()
    assert await http().start(reference, ADA) == "https://gov.invalid/c/1"
    (request,) = requests
    assert request.get_header("Idempotency-key") == str(reference)
    assert isinstance(request.data, bytes)
    assert json.loads(request.data) == {
        "reference": str(reference),
        "name": ADA.name,
        "date_of_birth": ADA.date_of_birth,
    }
    with pytest.raises(ValueError, match="https"):
        HttpGovId(SECRET, endpoint="http://gov.invalid", api_key="", name="gov", calls=provider_calls("gov_id"))


@pytest.mark.parametrize(
    "answer_body", [b"", b"[]", b'{"url": 7}', b'{"url": "http://gov.invalid"}', URLError("Quixley")]
)
async def test_a_provider_in_trouble_is_unavailable_and_nothing_is_quoted(
    monkeypatch: pytest.MonkeyPatch, answer_body: bytes | Exception
) -> None:
    def answer(request: Request, timeout: float) -> Any:
        if isinstance(answer_body, Exception):
            raise answer_body
        return Answer(answer_body)

    monkeypatch.setattr(https, "urlopen", answer)
    with pytest.raises(GovIdUnavailable) as refused:
        await http().start(uuid4(), ADA)
    assert "Quixley" not in str(refused.value)


async def test_without_a_provider_there_is_no_check_and_no_result() -> None:
    with pytest.raises(GovIdUnavailable):
        await NoGovId().start(uuid4(), ADA)
    with pytest.raises(SignatureInvalid):
        NoGovId().read(b"{}", Webhooks(SECRET).sign(b"{}", NOW), NOW)


@pytest.mark.parametrize("provider", [SandboxGovId(SECRET, "https://page.invalid"), http()])
def test_both_read_the_same_results(provider: Webhooks) -> None:
    reference = uuid4()
    body = json.dumps({"reference": str(reference), "token": "tok_12345", "outcome": "refused"}).encode()
    signature = Webhooks(SECRET).sign(body, NOW)
    for off in (timedelta(minutes=5), -timedelta(minutes=5)):
        result = provider.read(body, signature, NOW + off)
        assert (result.reference, result.token, result.outcome) == (reference, "tok_12345", REFUSED)
        with pytest.raises(SignatureInvalid):
            provider.read(body, signature, NOW + 1.01 * off)
    assert "tok_12345" not in repr(result)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Webhooks(b"short")


def test_a_verification_is_final_in_whatever_order_results_arrive() -> None:
    for order in permutations([(VERIFIED, False), (REFUSED, True), (REFUSED, False)]):
        state = PENDING
        for result, newest in order:
            state = after_result(state, result, newest)
        assert state is VERIFIED
    assert after_result(PENDING, REFUSED, False) is PENDING
    assert after_result(PENDING, REFUSED, True) is REFUSED


def test_checks_per_day_are_limited_and_the_refusal_says_when_to_retry() -> None:
    policy = Policy(gov_id_checks=2)
    started = [NOW - timedelta(hours=hours) for hours in (30, 5, 3)]
    with pytest.raises(TooManyChecks) as refused:
        require_few_checks(started, NOW, policy)
    assert refused.value.metadata == {"retry_at": (NOW + timedelta(hours=19)).isoformat()}
    require_few_checks(started[:2], NOW, policy)
    require_few_checks(started, NOW + timedelta(hours=19), policy)
