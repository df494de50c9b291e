"""The addresses of a running stack, from the file that it writes when it is ready (`.run/env`)."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Env:
    """The variables that a client of a running stack needs, by name."""

    values: dict[str, str]

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read the file of a stack that is ready."""
        pairs = (line.partition("=") for line in file.read_text().splitlines() if line)
        return cls({name: "".join(shlex.split(value)) for name, _, value in pairs})

    @property
    def postgres(self) -> str:
        """The superuser's address."""
        return self.values["UNORA_POSTGRES_URL"]

    @property
    def nats(self) -> str:
        """The admin's address."""
        return self.values["UNORA_NATS_URL"]

    @property
    def sms_sandbox(self) -> Path:
        """The file that the codes of SMS are written to."""
        return Path(self.values["UNORA_SMS_SANDBOX"])

    @property
    def payment_sandbox(self) -> str:
        """The address of the sandbox of the payment provider."""
        return self.values["UNORA_PAYMENT_SANDBOX_URL"]

    @property
    def payment_sandbox_key(self) -> str:
        """The secret key with which the provider's clients call it."""
        return self.values["UNORA_PAYMENT_SANDBOX_KEY"]

    @property
    def gateway(self) -> str:
        """Where apps call, with TLS by the authority of this machine."""
        return self.values["UNORA_GATEWAY_URL"]

    @property
    def plain_gateway(self) -> str:
        """The same without TLS."""
        return self.values["UNORA_GATEWAY_HTTP_URL"]

    def address(self, context: str) -> str:
        """Where a gRPC client finds a service: host and port, or those of all its processes."""
        return self.values[f"UNORA_{context.upper()}_ADDRESS"]

    def certificates(self) -> tuple[bytes, bytes, bytes]:
        """The authority, the developer's certificate and its key, as PEM."""
        ca, cert, key = (file.read_bytes() for file in self.certificate_files())
        return ca, cert, key

    def certificates_of(self, name: str) -> tuple[bytes, bytes, bytes]:
        """The authority, and the certificate and key of a service that is not Unora's, such as the notifier, as PEM."""
        cert, key = (Path(self.values[f"UNORA_{name.upper()}_TLS_{kind}"]) for kind in ("CERT", "KEY"))
        return Path(self.values["UNORA_TLS_CA"]).read_bytes(), cert.read_bytes(), key.read_bytes()

    def certificate_files(self) -> tuple[Path, Path, Path]:
        """The files of the authority, the developer's certificate and its key."""
        ca, cert, key = (Path(self.values[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY"))
        return ca, cert, key
