"""The parts of one stack: servers, ports, passwords, keys and certificates, all from one folder."""

import os
import secrets
from collections.abc import Sequence
from typing import Final

from unora_common.config import CONTEXTS
from unora_common.provision import role_names
from unora_common.streams import Reads
from unora_gateway.policy import PolicyError
from unora_gateway.targets import LOCAL_GRPC_PORT, LOCAL_PORTS

from unora_local import tls
from unora_local.gateway import Gateway
from unora_local.keys import Passwords, ensure_file, signing_key
from unora_local.mistakes import Mistake
from unora_local.nats import Nats
from unora_local.nats_config import ADMIN
from unora_local.page_part import PagePart
from unora_local.ports import STRIDE, Ports
from unora_local.postgres import SUPERUSER, Postgres
from unora_local.prometheus import Prometheus
from unora_local.run_folder import RunFolder
from unora_local.sandbox.layout import SandboxLayout
from unora_local.seaweed import PORTS as SEAWEED_PORTS
from unora_local.seaweed import Seaweed
from unora_local.services import Backing, Endpoint, addresses, process_name, targets
from unora_local.tls import CALLERS, FRONT, NATS, OUTSIDE

POSTGRES_PORT: Final = 15432
NATS_PORT: Final = 14222
S3_PORT: Final = 18333
PAYMENTS_PORT: Final = 18444
PAGE_PORT: Final = 18083
METRICS_PORT: Final = 17051
PROMETHEUS_PORT: Final = 19090
ACCESS_KEY: Final = "unora"
SUBSCRIBERS: Final = "subscribers.json"
CONNECTIONS: Final = 300
"""The connections that Postgres takes, unless there are more processes than three of each context."""
OF_A_PROCESS: Final = 11
"""The most of one process: its pool, and its relay."""
OTHER_CONNECTIONS: Final = 60
"""Those of migrations, tools, and the superuser."""


class Layout:
    """The parts of a stack, not started. Creating a Layout chooses ports and writes missing files in the folder.

    Each context has `replicas` processes. For a stack that is `running` it reads the values in use and changes nothing.
    """

    def __init__(self, folder: RunFolder, contexts: Sequence[str], *, replicas: int = 1, running: bool = False) -> None:
        self.contexts = contexts
        self.replicas = folder.replicas() if running else folder.keep_replicas(replicas)
        self._folder = folder
        self._ports = Ports(folder.path / "ports.json", in_use=running)
        self._passwords = Passwords(folder.path / "passwords.json")
        self._nats_port = self._ports.take("nats", NATS_PORT)
        certificates = tls.ensure(folder.path / "tls", [*contexts, *CALLERS, FRONT, *OUTSIDE, *NATS])
        self._nats_certificates = {name: certificates[name] for name in NATS}
        self.developer = certificates["developer"]
        self.outside = {name: certificates[name] for name in OUTSIDE}
        self.sms_sandbox = ensure_file(folder.path / "sms.jsonl", bytes)
        self.postgres = Postgres(
            folder.path / "postgres",
            port=self._ports.take("postgres", POSTGRES_PORT),
            password=self._passwords[SUPERUSER],
            log=folder.logs / "postgres.log",
            max_connections=max(CONNECTIONS, OTHER_CONNECTIONS + len(contexts) * self.replicas * OF_A_PROCESS),
        )
        self.seaweed = Seaweed(
            folder.path / "s3",
            ports={name: self._ports.take(name, S3_PORT + i) for i, name in enumerate(SEAWEED_PORTS)},
            access_key=ACCESS_KEY,
            secret_key=self._passwords["s3"],
            log=folder.logs / "seaweed.log",
        )
        self.payments = SandboxLayout(
            port=self._ports.take("payments", PAYMENTS_PORT),
            state=folder.path / "payments.json",
            key=f"sk_test_{self._passwords['payments key']}",
            webhook_secret=f"whsec_{self._passwords['payments webhooks']}",
        )
        self._gateway_ports = {name: self._ports.take(f"gateway {name}", usual) for name, usual in LOCAL_PORTS.items()}
        self._page_port = self._ports.take("page", PAGE_PORT)
        self.backing = Backing(
            database_urls={c: self._database_url(f"unora_{c}") for c in contexts},
            nats_urls={c: self._nats_url(c) for c in contexts},
            certificates=certificates,
            endpoints={
                c: tuple(self._endpoint(i, c, replica) for replica in range(self.replicas))
                for i, c in enumerate(contexts)
            },
            extra={"identity": self._identity(), "billing": self.payments.for_billing(), "safety": self._safety()},
        )

    def gateway(self) -> Gateway | None:
        """The gateway, if all contexts are there: it leads to each of them. Raises Mistake for a variable
        UNORA_GATEWAY_… that cannot be read.
        """
        if set(self.contexts) != set(CONTEXTS):
            return None
        try:
            return Gateway(
                self._folder.path / "gateway",
                ports=self._gateway_ports,
                services=targets(self.backing),
                certificates=self.backing.certificates,
                log=self._folder.logs / "gateway.log",
                environ=os.environ,
                bridge=self._page().address,
            )
        except PolicyError as error:
            raise Mistake(str(error)) from None

    def page(self) -> PagePart | None:
        """The bridge behind the page, if there is a gateway that leads to it."""
        return None if self.gateway() is None else self._page()

    def prometheus(self) -> Prometheus:
        """What scrapes all processes. Raises Mistake if this machine has no Prometheus."""
        processes = {context: [each.metrics for each in found] for context, found in self.backing.endpoints.items()}
        targets = [{"targets": found, "labels": {"context": c, "role": "all"}} for c, found in processes.items()]
        gateway = self.gateway()
        if gateway is not None:
            watch = gateway.watch_url.removeprefix("http://")
            targets.append({"targets": [watch], "labels": {"context": "gateway", "role": "front"}})
        return Prometheus(
            self._folder.path / "prometheus",
            port=self._ports.take("prometheus", PROMETHEUS_PORT),
            targets=targets,
            log=self._folder.logs / "prometheus.log",
        )

    @property
    def moved(self) -> list[str]:
        """Of each port that is not the usual one, why."""
        return self._ports.moved

    def nats(self, reads: Reads, *, bare: bool = False) -> Nats:
        """The NATS server that lets each context read what `reads` says; a `bare` one starts without streams."""
        users = [*self.contexts, ADMIN]
        return Nats(
            self._folder.path / "nats",
            port=self._nats_port,
            passwords={user: self._passwords[f"nats {user}"] for user in users},
            reads=reads,
            certificates=self._nats_certificates,
            log=self._folder.logs / "nats.log",
            subscribers=self._folder.path / SUBSCRIBERS,
            bare=bare,
        )

    def roles(self) -> dict[str, str]:
        """The passwords of the database roles: of each context one that migrates and one that runs."""
        return {name: self._passwords[name] for name in role_names(self.contexts)}

    def owners(self) -> dict[str, str]:
        """Each context's database address for the role that migrates."""
        return {context: self._database_url(f"unora_{context}_owner") for context in self.contexts}

    def published(self) -> dict[str, str]:
        """The variables that clients of a running stack need."""
        return {
            "UNORA_POSTGRES_URL": self.postgres.dsn(),
            "UNORA_NATS_URL": self._nats_url(ADMIN),
            **addresses(self.backing),
            "UNORA_TLS_CA": str(self.developer.ca),
            "UNORA_TLS_CERT": str(self.developer.cert),
            "UNORA_TLS_KEY": str(self.developer.key),
            **{f"UNORA_{name.upper()}_TLS_CERT": str(its.cert) for name, its in self.outside.items()},
            **{f"UNORA_{name.upper()}_TLS_KEY": str(its.key) for name, its in self.outside.items()},
            "UNORA_NOTIFIER_CLOCK": "events",  # a clock that may be moved
            "UNORA_SMS_SANDBOX": str(self.sms_sandbox),
            **self.payments.published(),
            **self._published_gateway(),
        }

    def _published_gateway(self) -> dict[str, str]:
        gateway = self.gateway()
        if gateway is None:
            return {}
        return {
            "UNORA_GATEWAY_URL": gateway.url,
            "UNORA_GATEWAY_HTTP_URL": gateway.plain_url,
            "UNORA_PAGE_URL": gateway.page_url,
        }

    def _page(self) -> PagePart:
        return PagePart(self._folder.path, port=self._page_port, log=self._folder.logs / "page.log")

    def _database_url(self, role: str) -> str:
        return self.postgres.dsn(role, self._passwords[role])

    def _nats_url(self, user: str) -> str:
        return self.nats({}).url(user)

    def _endpoint(self, index: int, context: str, replica: int) -> Endpoint:
        name, more = process_name(context, replica), index + replica * STRIDE
        grpc = self._ports.take(name, LOCAL_GRPC_PORT + more)
        metrics = self._ports.take(f"{name} metrics", METRICS_PORT + more)
        return Endpoint(f"127.0.0.1:{grpc}", f"127.0.0.1:{metrics}")

    def _safety(self) -> dict[str, str]:
        return {"UNORA_AUDIT_KEY": str(ensure_file(self._folder.path / "keys" / "audit.pem", signing_key))}

    def _identity(self) -> dict[str, str]:
        keys = self._folder.path / "keys"
        return {
            "UNORA_TOKEN_KEY": str(ensure_file(keys / "token.pem", signing_key)),
            "UNORA_PHONE_KEY": str(ensure_file(keys / "phone.key", lambda: secrets.token_bytes(32))),
            "UNORA_GOV_ID_SECRET": str(ensure_file(keys / "gov_id.key", lambda: secrets.token_bytes(32))),
            "UNORA_S3_ENDPOINT": self.seaweed.endpoint,
            "UNORA_S3_BUCKET": self.seaweed.bucket,
            "UNORA_S3_ACCESS_KEY": self.seaweed.access_key,
            "UNORA_S3_SECRET_KEY": self.seaweed.secret_key,
            "UNORA_SMS_SANDBOX": str(self.sms_sandbox),
            # No code costs anything here, and a demo, a benchmark or an attack has many members from one country, who
            # call over the gateway from one address, by one app.
            "UNORA_CODES_PER_DEVICE": "100000",
            "UNORA_CODES_PER_ADDRESS": "100000",
            "UNORA_CODES_PER_COUNTRY": "100000",
            "UNORA_CODES_IN_ALL": "100000",
        }
