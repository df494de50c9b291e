"""What pip-audit's answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from unora_tools.supply import audit

GOOD = {"name": "httpx", "version": "0.28.1", "vulns": []}
BAD = {"name": "pyotp", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1", "3.0"], "aliases": []}]}
SKIPPED = {"name": "stripe", "skip_reason": "Dependency not found"}


def answer(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_fault_has_its_package_and_the_versions_without_it() -> None:
    assert audit.faults_in(answer(GOOD, BAD)) == [audit.Fault("pyotp", "2.0", "PYSEC-1", "2.1, 3.0")]
    assert audit.faults_in(answer(GOOD)) == []


def test_a_service_that_knows_no_package_at_all_was_not_reached() -> None:
    for packages in ((SKIPPED, SKIPPED), ()):
        with pytest.raises(audit.NotReachedError):
            audit.faults_in(answer(*packages))


def test_a_package_that_alone_could_not_be_checked_is_a_fault() -> None:
    (fault,) = audit.faults_in(answer(GOOD, SKIPPED))
    assert (fault.package, fault.name) == ("stripe", "not checked: Dependency not found")


@pytest.mark.parametrize(
    ("faults", "status", "said"),
    [
        ([], 0, "no fault is known"),
        ([audit.Fault("pyotp", "2.0", "PYSEC-1", "2.1")], 1, "pyotp 2.0: PYSEC-1, fixed in 2.1"),
        (audit.NotReachedError("no route"), 0, "nothing was checked"),
    ],
)
def test_the_exit_status_says_whether_a_fault_was_found_and_the_text_whether_it_was_looked_for(
    faults: list[audit.Fault] | Exception,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def answered(_: object) -> list[audit.Fault]:
        if isinstance(faults, Exception):
            raise faults
        return faults

    monkeypatch.setattr(audit, "audit", answered)
    assert audit.main() == status
    assert said in "".join(capsys.readouterr())
