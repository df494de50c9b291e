"""The command line of billing."""

from __future__ import annotations

from uuid import UUID

import pytest
from unora_billing.domain.mismatches import MismatchResolution
from unora_billing.service import service
from unora_common.cli import _parser
from unora_common.ids import uuid7

pytestmark = pytest.mark.rule("BI-10")


@pytest.mark.parametrize("how", list(MismatchResolution))
def test_money_that_does_not_match_is_resolved_in_one_of_two_ways(how: MismatchResolution) -> None:
    payment_id = uuid7()
    options = _parser(service).parse_args(["resolve-payment", str(payment_id), f"--{how}"])
    assert (options.command, options.payment_id, options.how) == ("resolve-payment", payment_id, how)


@pytest.mark.parametrize(
    "words", [[], [str(UUID(int=1))], ["no id", "--refund"], [str(UUID(int=1)), "--refund", "--credit"]]
)
def test_anything_else_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        _parser(service).parse_args(["resolve-payment", *words])
    assert ended.value.code == 2
    assert "resolve-payment" in capsys.readouterr().err
