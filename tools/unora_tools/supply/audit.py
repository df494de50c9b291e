"""`make audit`: asks the service of known faults about the packages of the images, by pip-audit.

Exit status: 0 none is known, or the service is not reached, which it says; 1 a package has a known fault, or could not
be checked although others were.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unora_tools.supply.parts import LOCKS, ROOT

TIMEOUT = 600
"""Seconds for all packages of an image."""


class NotReachedError(Exception):
    """The service of known faults gave no answer; the message is pip-audit's last line."""


@dataclass(frozen=True, order=True)
class Fault:
    """A known fault of a package."""

    package: str
    version: str
    name: str
    """Such as PYSEC-2024-1."""
    fixed_in: str
    """The versions without it, or ""."""


def command(lock: Path) -> list[str]:
    """Without pip: the lock file has every package, by hash, so nothing is resolved or installed."""
    tool = Path(sys.executable).with_name("pip-audit")
    options = ("--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off")
    return [str(tool), *options, "--requirement", str(lock)]


def faults_in(answer: str) -> list[Fault]:
    """The faults in what pip-audit prints as JSON, by their packages.

    pip-audit calls a package that it could not ask about "skipped", and is content: of all packages that means that the
    service was not reached, so NotReachedError; of some of them it is a fault, since nobody has checked these.
    """
    read: dict[str, Any] = json.loads(answer)
    skipped = [package for package in read["dependencies"] if "skip_reason" in package]
    if len(skipped) == len(read["dependencies"]):
        raise NotReachedError(skipped[0]["skip_reason"] if skipped else "no package was asked about")
    return [Fault(each["name"], "", f"not checked: {each['skip_reason']}", "") for each in skipped] + sorted(
        Fault(package["name"], package["version"], each["id"], ", ".join(each["fix_versions"]))
        for package in read["dependencies"]
        for each in package.get("vulns", ())
    )


def audit(lock: Path) -> list[Fault]:
    """The known faults of what a lock file holds. Raises NotReachedError."""
    try:
        done = subprocess.run(command(lock), capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise NotReachedError(f"no answer within {TIMEOUT} seconds") from None
    if not done.stdout.strip():  # it prints JSON whenever it has an answer, whether there are faults or not
        raise NotReachedError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return faults_in(done.stdout)


def main() -> int:
    """Audit the packages of both images: identity's lock file has all of them. Return the exit status."""
    lock = LOCKS["unora-identity"]
    try:
        found = audit(ROOT / lock)
    except NotReachedError as error:
        print(
            f"audit: nothing was checked, since the service of known faults is not reached from here ({error}). Run "
            "`make audit` where it is: it needs the network, and sends the names and versions of the packages.",
            file=sys.stderr,
        )
        return 0
    for fault in found:
        fixed = f", fixed in {fault.fixed_in}" if fault.fixed_in else ""
        print(f"audit: {fault.package} {fault.version}: {fault.name}{fixed}", file=sys.stderr)
    if found:
        print("audit: pin versions without these faults in pyproject.toml, and run `make lock`", file=sys.stderr)
        return 1
    print(f"audit: no fault is known of the packages of {lock}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
