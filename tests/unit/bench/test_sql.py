"""The scripts that the benchmark gives to pgbench, made from the statements of the services."""

from __future__ import annotations

import pytest
from unora_bench import sign_ins, sql

SCRIPTS = {"check_in": sql.check_in(), "dashboard": sql.dashboard(), "verify_phone": sign_ins.verify_phone()}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_has_a_value_for_every_parameter(script: str) -> None:
    assert not sql.PARAMETER.search(script)


def test_a_check_in_is_four_round_trips() -> None:
    statements = [line for line in sql.check_in().splitlines() if not line.startswith("\\")]
    assert (len(statements), statements[0], statements[-1]) == (4, "BEGIN;", "COMMIT;")
