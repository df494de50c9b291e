"""The files of deploy/k8s that are made from code: `make k8s-files` writes them, and a test holds them current.

- `components/nats/rendered/accounts.conf`: who may do what on NATS, from the contract
- `components/monitoring/rendered/rules.yaml`: the rules of deploy/observe/rules as an object of the Prometheus Operator
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import yaml
from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_local import nats_config
from unora_local.nats_config import ADMIN, Tls

from unora_tools.kubernetes.render import FOLDER

RULES: Final = FOLDER.parent / "observe" / "rules"
ACCOUNTS: Final = FOLDER / "components" / "nats" / "rendered" / "accounts.conf"
PROMETHEUS_RULE: Final = FOLDER / "components" / "monitoring" / "rendered" / "rules.yaml"
PASSWORDS: Final = "users/passwords.conf"
"""Where the servers find the passwords: the key of the secret nats-users."""
_VARIABLE: Final = re.compile(r'"(\$[A-Z_]+)"')


def password_variable(user: str) -> str:
    """The variable of NATS' configuration that holds the password of a user; the secret nats-users sets it."""
    return f"PASSWORD_{user.upper()}"


def accounts() -> str:
    """The accounts of NATS, with a variable in the place of each password."""
    passwords = {user: f"${password_variable(user)}" for user in (*CONTEXTS, ADMIN)}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / nats_config.CONFIG
        nowhere = Tls(Path(), Path(), Path())
        reads = consumed_subjects(CONTEXTS)
        nats_config.write(file, port=0, store=Path(), passwords=passwords, reads=reads, tls=nowhere)
        found = json.loads(file.read_bytes())["accounts"]
    text = _VARIABLE.sub(r"\1", json.dumps(found, indent=1))
    # A file knows the variables of what it includes, and not those of the file that includes it.
    return f"# Made by `make k8s-files` from the contract; do not edit.\ninclude {PASSWORDS}\naccounts: {text}\n"


def prometheus_rule(folder: Path = RULES) -> str:
    """All groups of the rule files in a folder, as one PrometheusRule."""
    groups: list[dict[str, Any]] = []
    for file in sorted(folder.glob("*.yaml")):
        groups += yaml.safe_load(file.read_text())["groups"]
    item = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "unora", "labels": {"app.kubernetes.io/part-of": "unora"}},
        "spec": {"groups": groups},
    }
    text = yaml.safe_dump(item, sort_keys=False, allow_unicode=True, width=120)
    return f"# Made by `make k8s-files` of deploy/observe/rules; do not edit.\n{text}"


def files() -> dict[Path, str]:
    """All generated files and what they should hold."""
    return {ACCOUNTS: accounts(), PROMETHEUS_RULE: prometheus_rule()}


def main() -> int:
    """Write the files that are not current; return the exit status."""
    for file, text in files().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(f"k8s-files: wrote {file.relative_to(FOLDER.parents[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
