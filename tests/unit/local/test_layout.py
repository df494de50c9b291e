"""What the services of one machine are told."""

from __future__ import annotations

from pathlib import Path

import pytest
from unora_common.config import CONTEXTS
from unora_local.cast import PEOPLE
from unora_local.layout import Layout
from unora_local.run_folder import RunFolder


@pytest.mark.rule("ID-11")
@pytest.mark.parametrize("shared", ["UNORA_CODES_PER_ADDRESS", "UNORA_CODES_PER_COUNTRY", "UNORA_CODES_IN_ALL"])
def test_all_people_of_a_demo_may_sign_up_at_once_over_the_gateway(shared: str, tmp_path: Path) -> None:
    told = Layout(RunFolder(tmp_path), CONTEXTS).backing.extra["identity"]
    assert int(told[shared]) > 100 * len(PEOPLE)
