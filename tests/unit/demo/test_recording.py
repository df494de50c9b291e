"""Examples of calls: what is left of them depends on the story alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unora.identity.v1.account_service_pb2 import GetAccountRequest, VerifyPhoneRequest
from unora.matching.v1.matching_service_pb2 import ListConnectionsRequest
from unora_demo.recording import Recording, canonical
from unora_testing.rest.binding import binding_of

GET = "/unora.identity.v1.AccountService/GetAccount"
VERIFY = "/unora.identity.v1.AccountService/VerifyPhone"


def seen(number: int) -> dict[str, Any]:
    """A call as it may be seen in two runs."""
    member = f"{number:08x}-0000-7000-8000-00000000000{number}"
    return {
        "parameters": {"user_id": member, "partner_id": f"ffffffff-0000-7000-8000-00000000000{number}"},
        "body": {"code": f"12345{number}", "phone_number": f"+1415555019{number}"},
        "answer": {
            "user_id": member,
            "refresh_token": f"secret-{number}",
            "url": f"https://127.0.0.1:1853{number}/photo?signature=x",
            "begins_at": f"2026-11-0{number}T10:00:00.123Z",
            "ends_at": f"2026-11-1{number}T10:00:00Z",
            "check_in_date": {"year": 2026, "month": 11, "day": number},
            "date_of_birth": {"year": 1994, "month": 5, "day": 17},
            "members": [member, member, member],
        },
    }


def test_two_runs_leave_the_same_example() -> None:
    assert canonical(seen(1)) == canonical(seen(2))


def test_ids_that_were_the_same_stay_the_same_and_times_keep_their_order() -> None:
    example = canonical(seen(1))
    answer = example["answer"]
    assert answer["user_id"] == example["parameters"]["user_id"] != example["parameters"]["partner_id"]
    assert answer["begins_at"] < answer["ends_at"]
    assert answer["date_of_birth"] == {"year": 1994, "month": 5, "day": 17}
    assert len(answer["members"]) == 2


def test_no_secret_no_link_and_no_number_is_left() -> None:
    written = json.dumps(canonical(seen(1)))
    for left in ("secret-1", "127.0.0.1", "123451", "+14155550191", "2026-11"):
        assert left not in written


def test_the_call_is_kept_whose_answer_shows_most(tmp_path: Path) -> None:
    recording = Recording()
    answers: list[dict[str, Any]] = [
        {"account": {}},
        {"account": {"trust_level": 3, "tier": "TIER_PLUS"}},
        {"account": {"tier": "TIER_PRO"}},
    ]
    for answer in answers:
        recording.keep("GetAccount", binding_of(GET), GetAccountRequest(), json.dumps(answer).encode())
    recording.write(tmp_path / "examples.json")
    assert json.loads((tmp_path / "examples.json").read_text()) == {
        "GetAccount": {"parameters": {}, "answer": {"account": {"trust_level": 3, "tier": "TIER_PLUS"}}}
    }


def test_an_example_has_path_and_body_apart() -> None:
    recording = Recording()
    request = VerifyPhoneRequest(request_id="a", challenge_id="b:c", code="1 2")
    recording.keep("VerifyPhone", binding_of(VERIFY), request, b"{}")
    assert recording.calls["VerifyPhone"] == {
        "parameters": {"challenge_id": "b:c"},
        "body": {"request_id": "a", "code": "1 2"},
        "answer": {},
    }


def test_an_example_of_a_read_has_its_query_with_the_values_that_json_has() -> None:
    recording = Recording()
    request = ListConnectionsRequest(page_size=5)
    path = "/unora.matching.v1.MatchingService/ListConnections"
    recording.keep("ListConnections", binding_of(path), request, b"{}")
    assert recording.calls["ListConnections"] == {"parameters": {"page_size": 5}, "answer": {}}
