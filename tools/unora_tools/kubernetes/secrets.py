"""`python -m unora_tools.kubernetes.secrets FOLDER`: makes the secrets of a cluster as files, a folder for each secret
and a file for each key. What is there stays, so that it can be run again, and what others gave can be put in.

Certificates are not among them: cert-manager makes those. `docs/kubernetes.md#secrets` lists all.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Final

from unora_common.config import CONTEXTS
from unora_common.declarations import consumed_subjects
from unora_local import compose_files
from unora_local.keys import Passwords, write_private
from unora_local.mistakes import Mistake
from unora_local.nats_config import ADMIN

from unora_tools.kubernetes.generated import password_variable

MADE_ELSEWHERE: Final = ("ca.pem", "cert.pem", "key.pem", "postgres_ca.pem")
"""Files of compose that pods get from cert-manager and from the operator of Postgres."""
GIVEN: Final = {
    "identity-secrets": ("s3_access_key", "s3_secret_key"),
    "billing-secrets": ("stripe_secret_key", "stripe_webhook_secret"),
    "postgres-backup": ("access_key", "secret_key", "region"),
}
"""What nobody can make here: it is written as a placeholder."""
POSTGRES, POOLER = "postgres-rw:5432", "postgres-pooler:5432"
Files = dict[str, bytes]


def secrets(kit: Path, *, postgres: str = POSTGRES, pooler: str = "") -> dict[str, Files]:
    """All secrets: {secret: {key: content}}. `kit` is a folder of compose's files, which is made or kept. With `pooler`
    services go there, and their relays to `postgres`.
    """
    compose_files.write(kit, consumed_subjects(CONTEXTS))
    found: dict[str, Files] = {}
    for context in CONTEXTS:
        found[f"{context}-secrets"] = _at(_read(kit / context), pooler or postgres)
        if pooler:
            direct = _at(_read(kit / context), postgres)["database_url"]
            found[f"{context}-secrets"]["direct_database_url"] = direct
        found[f"{context}-owner"] = _at(_read(kit / f"{context}-migrate"), postgres)
    found["postgres-admin"] = _at(_read(kit / "cluster" / "admin"), postgres)
    found["postgres-passwords"] = _read(kit / "cluster" / "passwords")
    found["postgres-superuser"] = {"username": b"postgres", "password": (kit / "postgres" / "password").read_bytes()}
    found["postgres-backup"] = {}
    found["nats-admin"] = _read(kit / "streams")
    found["nats-users"] = {"passwords.conf": _nats_passwords(kit).encode()}
    for name, keys in GIVEN.items():
        found[name] |= dict.fromkeys(keys, b"REPLACE-ME")
    return found


def _read(folder: Path) -> Files:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name not in MADE_ELSEWHERE}


def _at(files: Files, host: str) -> Files:
    """The same files, with this host in the address of Postgres."""
    address = files["database_url"].replace(f"@{compose_files.POSTGRES}/".encode(), f"@{host}/".encode())
    return files | {"database_url": address}


def _nats_passwords(kit: Path) -> str:
    """The variables of NATS' configuration: `rendered/accounts.conf` names them."""
    passwords = Passwords(kit / compose_files.SECRETS_FOLDER / "passwords.json")
    lines = [f'{password_variable(user)}: "{passwords[f"nats {user}"]}"' for user in (*CONTEXTS, ADMIN)]
    return "\n".join(lines) + "\n"


def write(folder: Path, *, postgres: str = POSTGRES, pooler: str = "") -> list[Path]:
    """Write what is missing. Returns the files that must still be filled in."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    for name, files in secrets(folder / ".kit", postgres=postgres, pooler=pooler).items():
        (folder / name).mkdir(exist_ok=True)
        for key, content in files.items():
            if not (folder / name / key).exists():
                write_private(folder / name / key, content)
    placeholders = [folder / name / key for name, keys in GIVEN.items() for key in keys]
    return [file for file in placeholders if file.read_bytes() == b"REPLACE-ME"]


def main(arguments: list[str] | None = None) -> int:
    """Write the files; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m unora_tools.kubernetes.secrets", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to; git ignores .compose")
    parser.add_argument("--postgres", default=POSTGRES, help="host and port of Postgres (default: %(default)s)")
    parser.add_argument("--pooler", default="", metavar="HOST:PORT", help=f"for the component pooler: {POOLER}")
    options = parser.parse_args(arguments)
    try:
        empty = write(options.folder, postgres=options.postgres, pooler=options.pooler)
    except (Mistake, OSError) as error:
        print(f"secrets: {error}", file=sys.stderr)
        return 1
    print(f"secrets: {options.folder} has a folder for each secret")
    for file in empty:
        print(f"secrets: put in what others gave: {file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
