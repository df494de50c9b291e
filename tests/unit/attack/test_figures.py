"""The arithmetic of the attacks' report."""

from __future__ import annotations

import pytest
from unora_attack.figures import (
    NORMAL_IN_A_ROW,
    Kind,
    Sample,
    failures,
    percentile,
    seconds_until_normal,
    share_in_time,
    within,
)
from unora_attack.memory import limits, mebibytes
from unora_attack.orders import Tally, merged
from unora_attack.overload import Buckets, judge, read_refusals

BUSY = "RESOURCE_EXHAUSTED SERVICE_BUSY"
QUICK = Tally({BUSY: 10}, refused_p50_ms=9.0)


def sample(
    began: float = 0.0, seconds: float = 0.01, outcome: str = "OK", kind: Kind = Kind.MEMBER, method: str = "GetProfile"
) -> Sample:
    return Sample(kind, method, began, seconds, outcome)


def test_a_share_counts_answers_within_the_deadline_of_their_kind() -> None:
    samples = [
        sample(seconds=1.9),
        sample(seconds=2.1),
        sample(outcome=BUSY),
        sample(),
        sample(kind=Kind.UPLOAD, seconds=9.0),
    ]
    assert share_in_time(samples, Kind.MEMBER) == 0.5
    assert share_in_time(samples, Kind.UPLOAD) == 1.0


def test_there_is_no_share_of_no_calls() -> None:
    assert share_in_time([sample()], Kind.CONTEXT) is None


def test_a_call_belongs_to_the_span_in_which_it_began() -> None:
    samples = [sample(began=began) for began in (0.9, 1.0, 1.5, 2.0)]
    assert [each.began for each in within(samples, 1.0, 2.0)] == [1.0, 1.5]


def test_failures_are_told_by_method_and_outcome() -> None:
    samples = [sample(), sample(outcome=BUSY), sample(outcome=BUSY), sample(seconds=3.0)]
    assert failures(samples) == {f"GetProfile {BUSY}": 2, "GetProfile late": 1}


def test_all_is_normal_from_the_first_of_enough_quick_answers_in_a_row() -> None:
    slow = [sample(began=10.0 + number / 10, seconds=0.5) for number in range(5)]
    quick = [sample(began=10.5 + number / 10) for number in range(NORMAL_IN_A_ROW)]
    assert seconds_until_normal([*slow, *quick], ended=10.0, limit=0.25) == pytest.approx(0.5)


def test_all_is_normal_at_once_if_no_answer_is_slow_after_the_attack() -> None:
    before = [sample(began=9.0, outcome=BUSY)]
    quick = [sample(began=10.0 + number / 10) for number in range(NORMAL_IN_A_ROW)]
    assert seconds_until_normal([*before, *quick], ended=10.0, limit=0.25) == 0.0


@pytest.mark.parametrize("last", [sample(began=12.0, outcome=BUSY), sample(began=12.0, seconds=0.3)])
def test_nothing_is_normal_yet_if_an_answer_breaks_the_row(last: Sample) -> None:
    quick = [sample(began=10.0 + number / 100) for number in range(NORMAL_IN_A_ROW - 1)]
    assert seconds_until_normal([*quick, last], ended=10.0, limit=0.25) is None


def test_calls_that_end_in_another_order_are_judged_in_the_order_in_which_they_began() -> None:
    quick = [sample(began=10.0 + number / 10) for number in range(NORMAL_IN_A_ROW)]
    assert seconds_until_normal([*reversed(quick)], ended=10.0, limit=0.25) == 0.0


def test_other_kinds_do_not_say_what_is_normal() -> None:
    uploads = [sample(began=10.0 + number, kind=Kind.UPLOAD) for number in range(NORMAL_IN_A_ROW)]
    assert seconds_until_normal(uploads, ended=10.0, limit=0.25) is None


@pytest.mark.parametrize(("part", "value"), [(0.5, 51), (0.99, 100), (1.0, 100)])
def test_a_percentile_is_a_value_that_was_seen(part: float, value: float) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], part) == value


def test_a_percentile_of_nothing_is_zero() -> None:
    assert percentile([], 0.5) == 0


@pytest.mark.parametrize(("quantity", "mib"), [("768Mi", 768.0), ("1Gi", 1024.0), ("1024Ki", 1.0)])
def test_quantities_of_kubernetes_are_read(quantity: str, mib: float) -> None:
    assert mebibytes(quantity) == mib


def test_every_context_has_a_limit_of_memory_in_the_manifests() -> None:
    found = limits()
    assert set(found) == {"identity", "discovery", "matching", "streak", "reveal", "billing", "safety"}
    assert min(found.values()) >= 128


def test_what_several_attackers_did_is_added_up_and_the_worst_time_counts() -> None:
    one = Tally({"OK": 3, BUSY: 1}, seconds=8.0, refused_p50_ms=20.0, hints_missing=1)
    other = Tally({BUSY: 5}, seconds=9.0, refused_p50_ms=10.0)
    both = merged([one, other])
    assert (both.outcomes, both.made, both.seconds) == ({"OK": 3, BUSY: 6}, 9, 9.0)
    assert (both.refused_p50_ms, both.hints_missing) == (20.0, 1)
    assert both.share("RESOURCE_EXHAUSTED") == pytest.approx(6 / 9)


@pytest.mark.parametrize(
    ("tally", "faults"),
    [
        (Tally({"OK": 800, BUSY: 2000}, seconds=1.0), 0),
        (Tally({"OK": 799, BUSY: 2000}, seconds=1.0), 1),
        (Tally({"OK": 900, BUSY: 2000}, seconds=1.0, hints_missing=1), 1),
        (Tally({"OK": 900, "CANCELLED ": 3}, seconds=1.0), 1),
    ],
)
def test_an_overload_is_judged_by_its_answers_and_its_refusals(tally: Tally, faults: int) -> None:
    assert len(judge(tally, 1000.0, Buckets({0.005: 10.0}), QUICK).faults) == faults


def test_slow_refusals_of_an_overload_are_a_fault() -> None:
    slow = Buckets({0.05: 4.0, 0.1: 10.0})
    assert len(judge(Tally({"OK": 900}, seconds=1.0), 1000.0, slow, QUICK).faults) == 1
    waits = Tally({BUSY: 10}, refused_p50_ms=51.0)
    assert len(judge(Tally({"OK": 900}, seconds=1.0), 1000.0, Buckets({0.005: 10.0}), waits).faults) == 1


METRICS = """\
# TYPE unora_rpc_duration_seconds histogram
unora_rpc_duration_seconds_bucket{code="OK",le="0.001",method="CheckIn"} 70.0
unora_rpc_duration_seconds_bucket{code="RESOURCE_EXHAUSTED",le="0.001",method="CheckIn"} 4.0
unora_rpc_duration_seconds_bucket{code="RESOURCE_EXHAUSTED",le="0.005",method="CheckIn"} 6.0
unora_rpc_duration_seconds_bucket{code="RESOURCE_EXHAUSTED",le="+Inf",method="CheckIn"} 6.0
unora_rpc_duration_seconds_bucket{code="RESOURCE_EXHAUSTED",le="0.001",method="GetStreak"} 9.0
"""


def test_the_time_that_refusals_took_is_read_from_the_metrics() -> None:
    before = read_refusals(METRICS)
    assert before.median() == 0.001
    after = Buckets({0.001: 4.0, 0.005: 9.0, float("inf"): 9.0})
    assert after.since(before).median() == 0.005
    assert before.since(before).median() == 0.0
