"""What docker-compose.yml mounts: certificates, passwords, keys, and the configurations of NATS and S3, in one folder.

Other users of the machine cannot enter the folder. The files in it are readable, because containers run as other users;
each container mounts one folder, which holds only its own secrets.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from unora_common.config import CONTEXTS
from unora_common.provision import role_names
from unora_common.streams import Reads
from unora_common.whole_files import write_whole
from unora_gateway import targets
from unora_gateway.policy import PolicyError
from unora_gateway.render import render

from unora_local import nats_config, seaweed_security, tls
from unora_local.keys import Passwords, ensure_file, signing_key
from unora_local.mistakes import Mistake
from unora_local.nats_config import ADMIN, Tls
from unora_local.tls import Certificate

POSTGRES: Final = "postgres:5432"
MOUNTED: Final = "/run/unora"
AUTHORITY: Final = "postgres_ca.pem"
"""The authority of the certificate of Postgres, beside each address that names it."""
# Over the network only with TLS and a password, only to the one database; `docker compose exec -u postgres` without.
# The nightly pg_basebackup comes so, too, and `all` does not mean replication.
ACCESS: Final = """local all postgres peer
local replication postgres peer
hostssl unora all all scram-sha-256
"""
NATS: Final = "nats:4222"
NATS_PORT, NATS_MONITORING_PORT = 4222, 8222
NATS_STORE: Final = Path("/data")
BUCKET: Final = "photos"
SECRETS_FOLDER: Final = "kept"
"""The folder, within that of compose, of what is created once."""
OPEN_FOLDER, OPEN_FILE = 0o755, 0o444


def write(
    folder: Path, reads: Reads, contexts: Sequence[str] = CONTEXTS, environ: Mapping[str, str] | None = None
) -> None:
    """Write everything. Secrets are created once and kept, so that existing data stay readable. Raises Mistake for a
    variable UNORA_GATEWAY_… of `environ` (None: of this process) that cannot be read, and then writes nothing.
    """
    gateway = _gateway_files(environ)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    passwords = Passwords(folder / SECRETS_FOLDER / "passwords.json")
    names = [*contexts, *tls.CALLERS, tls.FRONT, *tls.OUTSIDE, *tls.NATS, tls.POSTGRES]
    certificates = tls.ensure(folder / SECRETS_FOLDER / "tls", names)
    for name, certificate in certificates.items():
        ca, cert, key = certificate.read()
        _put(folder / name, {"ca.pem": ca, "cert.pem": cert, "key.pem": key})
    authority, _, _ = certificates[tls.POSTGRES].read()
    for context in contexts:
        _put(folder / context, _service(context, passwords) | {AUTHORITY: authority})
        address = _database(f"unora_{context}_owner", passwords)
        _put(folder / f"{context}-migrate", {"database_url": address, AUTHORITY: authority})
    _put(folder / "identity", _identity(folder / SECRETS_FOLDER, passwords))
    _put(folder / "billing", _billing(folder / SECRETS_FOLDER))
    _put(folder / "safety", {"audit.pem": ensure_file(folder / SECRETS_FOLDER / "audit.pem", signing_key).read_bytes()})
    _put(folder / "postgres", {"password": passwords["postgres"], "pg_hba.conf": ACCESS})
    address = _database("postgres", passwords, f"{MOUNTED}/admin")
    _put(folder / "cluster" / "admin", {"database_url": address, AUTHORITY: authority})
    _put(folder / "cluster" / "passwords", {role: passwords[role] for role in role_names(contexts)})
    _put(folder / "streams", {"nats_url": _nats(ADMIN, passwords)})
    _put(folder / "s3", _s3_server(folder / SECRETS_FOLDER / "s3-tls", passwords))
    _put(folder / "gateway" / targets.COMPOSE_FOLDER.name, gateway)
    _front(folder / "gateway" / "front", certificates[tls.FRONT])
    _nats_server(folder / "nats", passwords, reads, contexts)


def _gateway_files(environ: Mapping[str, str] | None) -> dict[str, bytes]:
    """What Envoy reads."""
    try:
        return render(targets.compose(environ))
    except PolicyError as error:
        raise Mistake(str(error)) from None


def _front(folder: Path, own: Certificate) -> None:
    """The certificate that apps see. An operator's own is kept, with all that is beside it."""
    if not (folder / "cert.pem").exists() or tls.is_made_here(folder / "cert.pem"):
        ca, cert, key = own.read()
        _put(folder, {"ca.pem": ca, "cert.pem": cert, "key.pem": key})


def _put(folder: Path, files: Mapping[str, str | bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(OPEN_FOLDER)
    for name, content in files.items():
        write_whole(folder / name, content.encode() if isinstance(content, str) else content, OPEN_FILE)


def _service(context: str, passwords: Passwords) -> dict[str, str | bytes]:
    return {"database_url": _database(f"unora_{context}", passwords), "nats_url": _nats(context, passwords)}


def _identity(folder: Path, passwords: Passwords) -> dict[str, str | bytes]:
    return {
        "token.pem": ensure_file(folder / "token.pem", signing_key).read_bytes(),
        "phone.key": ensure_file(folder / "phone.key", lambda: secrets.token_bytes(32)).read_bytes(),
        "s3_access_key": "identity",
        "s3_secret_key": passwords["s3"],
    }


def _billing(folder: Path) -> dict[str, str | bytes]:
    """The payment provider's secrets. Those made here are not valid: replace them by those of your account."""
    return {
        "stripe_secret_key": ensure_file(folder / "stripe_secret_key", _stripe("sk_test_")).read_bytes(),
        "stripe_webhook_secret": ensure_file(folder / "stripe_webhook_secret", _stripe("whsec_")).read_bytes(),
    }


def _stripe(start: str) -> Callable[[], bytes]:
    return lambda: f"{start}{secrets.token_hex(16)}".encode()


def _database(role: str, passwords: Passwords, folder: str = MOUNTED) -> str:
    verified = f"sslmode=verify-full&sslrootcert={folder}/{AUTHORITY}"
    return f"postgresql://{role}:{passwords[role]}@{POSTGRES}/unora?{verified}"


def _nats(user: str, passwords: Passwords) -> str:
    return f"tls://{user}:{passwords[f'nats {user}']}@{NATS}"


def _s3_server(kept: Path, passwords: Passwords) -> dict[str, str | bytes]:
    ca, cert, key = tls.ensure(kept, [seaweed_security.NAME])[seaweed_security.NAME].read()
    mounted = seaweed_security.Files(*(Path(MOUNTED) / name for name in ("ca.pem", "cert.pem", "key.pem")))
    return {
        "s3.json": json.dumps(_s3(passwords), indent=1),
        "security.toml": seaweed_security.security(mounted, lambda name: passwords[f"s3 {name}"]),
        "ca.pem": ca,
        "cert.pem": cert,
        "key.pem": key,
    }


def _s3(passwords: Passwords) -> dict[str, object]:
    credentials = [{"accessKey": "identity", "secretKey": passwords["s3"]}]
    actions = [f"{action}:{BUCKET}" for action in ("Read", "Write", "List")]
    return {"identities": [{"name": "identity", "credentials": credentials, "actions": actions}]}


def _nats_server(folder: Path, passwords: Passwords, reads: Reads, contexts: Sequence[str]) -> None:
    draft = folder.parent / "kept" / "nats.conf"
    nats_config.write(
        draft,
        host="0.0.0.0",  # noqa: S104 - of its container
        port=NATS_PORT,
        monitoring_port=NATS_MONITORING_PORT,
        store=NATS_STORE,
        passwords={user: passwords[f"nats {user}"] for user in (*contexts, ADMIN)},
        reads=reads,
        tls=Tls(*(Path(MOUNTED) / name for name in ("ca.pem", "cert.pem", "key.pem"))),
    )
    _put(folder, {"nats.conf": draft.read_bytes()})
    draft.unlink()
