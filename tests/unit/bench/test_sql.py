"""The scripts that the benchmark gives to pgbench, made from the statements of the services."""

from __future__ import annotations

import pytest
from unora_bench import call_sql, sign_ins, sql

SCRIPTS = {
    "check_in": sql.check_in(),
    "dashboard": sql.dashboard(),
    "verify_phone": sign_ins.verify_phone(),
    "get_account": call_sql.get_account(),
    "get_screen": call_sql.get_screen(),
    "send_interest": call_sql.send_interest(1000),
    "refresh_batch": call_sql.refresh_batch(),
    "open_reveal": call_sql.open_reveal(),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
def test_a_script_has_a_value_for_every_parameter(script: str) -> None:
    assert not sql.PARAMETER.search(script)


def test_a_check_in_is_four_round_trips() -> None:
    statements = [line for line in sql.check_in().splitlines() if not line.startswith("\\")]
    assert (len(statements), statements[0], statements[-1]) == (4, "BEGIN;", "COMMIT;")
