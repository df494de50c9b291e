"""What makes a row of the attacks' report fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from unora_attack.attacks import ATTACKS
from unora_attack.figures import Kind, Sample
from unora_attack.logs import Logs
from unora_attack.orders import Tally
from unora_attack.row import Attack, Played, Seen, judged
from unora_common.config import CONTEXTS
from unora_local.run_folder import RunFolder

ATTACK: Attack = replace(ATTACKS[0], all_answered=frozenset(Kind))
BUSY = "RESOURCE_EXHAUSTED SERVICE_BUSY"


def samples(kind: Kind, answered: int, refused: int) -> list[Sample]:
    outcomes = ["OK"] * answered + [BUSY] * refused
    return [Sample(kind, "GetProfile", 0.0, 0.01, outcome) for outcome in outcomes]


SEEN = Seen(samples(Kind.MEMBER, 100, 0), 0.0, 100.0, 256.0, [])


def test_a_row_without_a_fault_is_as_aimed() -> None:
    assert judged(ATTACK, Played(), SEEN).faults == ()


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_honest_calls_is_answered_to_99_percent(kind: Kind) -> None:
    good, bad = samples(kind, 99, 1), samples(kind, 98, 2)
    assert judged(ATTACK, Played(), replace(SEEN, samples=good)).faults == ()
    assert judged(ATTACK, Played(), replace(SEEN, samples=bad)).faults == (f"2 GetProfile {BUSY}",)


def test_an_attack_may_have_another_aim_for_a_kind() -> None:
    attack = replace(ATTACK, all_answered=frozenset({Kind.MEMBER}))
    seen = replace(SEEN, samples=[*SEEN.samples, *samples(Kind.UPLOAD, 0, 5)])
    row = judged(attack, Played(), seen)
    assert (row.faults, row.shares[Kind.UPLOAD]) == ((), 0.0)


@pytest.mark.parametrize(
    "seen",
    [
        replace(SEEN, until_normal=None),
        replace(SEEN, until_normal=10.1),
        replace(SEEN, peak=256.1),
        replace(SEEN, in_logs=["1 identity: calls that failed with INTERNAL"]),
    ],
)
def test_a_slow_return_too_much_memory_and_bad_lines_in_a_log_are_faults(seen: Seen) -> None:
    assert len(judged(ATTACK, Played(), seen).faults) == 1


def test_what_the_attack_itself_found_is_a_fault() -> None:
    assert judged(ATTACK, Played(Tally(), faults=("no hint",)), SEEN).faults == ("no hint",)


def test_an_attack_judges_the_outcomes_of_honest_calls() -> None:
    def judge(outcomes: Mapping[str, int]) -> tuple[str, ...]:
        return tuple(f"{number} {outcome}" for outcome, number in outcomes.items())

    assert judged(replace(ATTACK, judge=judge), Played(), SEEN).faults == ("100 OK",)


def test_the_logs_are_searched_for_what_must_not_be_there(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.logs.mkdir()
    for context in CONTEXTS:
        (folder.logs / f"{context}.log").write_text('{"code":"INTERNAL"}\n')
    logs = Logs(folder)
    logs.skip()
    assert logs.faults() == []
    with (folder.logs / "streak.log").open("a") as file:
        file.write('{"code":"OK"}\n{"reason":"REVOCATIONS_STALE"}\n{"reason":"REVOCATIONS_STALE"}\n')
        file.write('Traceback (most recent call last):\n{"code":"INTERNAL"}\n')
    assert sorted(logs.faults()) == [
        "1 streak: calls that failed with INTERNAL",
        "1 streak: tracebacks outside of the log's lines of JSON",
        "2 streak: members refused, since the revoked sessions are not known",
    ]
