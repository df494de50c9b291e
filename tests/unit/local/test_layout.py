"""What the services of one machine are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_common.config import CONTEXTS
from unora_gateway.target import Address
from unora_local import services
from unora_local.cast import PEOPLE
from unora_local.layout import Layout
from unora_local.run_folder import RunFolder


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize("shared", ["UNORA_CODES_PER_ADDRESS", "UNORA_CODES_PER_COUNTRY", "UNORA_CODES_IN_ALL"])
def test_all_people_of_a_demo_may_sign_up_at_once_over_the_gateway(shared: str, tmp_path: Path) -> None:
    told = Layout(RunFolder(tmp_path), CONTEXTS).backing.extra["identity"]
    assert int(told[shared]) > 100 * len(PEOPLE)


def test_each_process_of_a_context_has_addresses_of_its_own_and_all_know_all(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    layout = Layout(folder, CONTEXTS, replicas=3)
    backing = layout.backing
    told = [services.environment("streak", backing, replica) for replica in range(3)]
    own = [address for each in told for address in (each["UNORA_LISTEN"], each["UNORA_METRICS_LISTEN"])]
    assert len(set(own)) == 6
    assert {each["UNORA_IDENTITY_ADDRESS"] for each in told} == {services.targets(backing)["identity"]}
    listed = Address.all_of(layout.published()["UNORA_STREAK_ADDRESS"])
    assert [f"{each.host}:{each.port}" for each in listed] == own[::2]
    assert [services.process_name("streak", replica) for replica in range(3)] == ["streak", "streak-2", "streak-3"]


def test_commands_find_the_processes_of_the_stack_that_was_started_last(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    several = Layout(folder, CONTEXTS, replicas=2).published()
    assert Layout(folder, CONTEXTS, running=True).published() == several
    one = Layout(folder, CONTEXTS).published()
    assert Layout(folder, CONTEXTS, running=True).published() == one
    assert one["UNORA_STREAK_ADDRESS"] in several["UNORA_STREAK_ADDRESS"].removeprefix("ipv4:").split(",")


def test_one_process_of_a_context_ends_at_once_and_one_of_several_serves_on_for_a_while(tmp_path: Path) -> None:
    def delay(replicas: int) -> float:
        backing = Layout(RunFolder(tmp_path), CONTEXTS, replicas=replicas).backing
        return float(services.environment("streak", backing)["UNORA_SHUTDOWN_DELAY"])

    assert (delay(1), delay(2)) == (0, float(services.SHUTDOWN_DELAY))
