"""SeaweedFS as the local S3, as one process that listens on loopback only and answers no stranger."""

import asyncio
import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from unora_local import tls
from unora_local.binaries import script
from unora_local.keys import private_folder, write_private
from unora_local.launcher import READY_WITHIN, Launcher, status_of
from unora_local.process import Process
from unora_local.seaweed_security import NAME, Files, security

# It consists of several servers, each with two ports.
SERVERS: Final = ("s3", "master", "volume", "filer", "admin")
PORTS: Final = tuple(name for server in SERVERS for name in (server, f"{server}.grpc"))
PROBE: Final = ".ready"


class Seaweed(Launcher):
    """An S3 with its objects in `folder`. `ports` has a port for each name in PORTS."""

    def __init__(
        self,
        folder: Path,
        *,
        ports: Mapping[str, int],
        access_key: str,
        secret_key: str,
        log: Path,
        bucket: str = "photos",
    ) -> None:
        self.folder = folder
        self.bucket = bucket
        self.access_key = access_key
        self.secret_key = secret_key
        self._ports = ports
        self._log = log

    @property
    def endpoint(self) -> str:
        """The address of the S3."""
        return f"http://127.0.0.1:{self._ports['s3']}"

    async def start(self) -> None:
        """Start the server and return when the bucket can be used."""
        private_folder(self.folder)
        # An authority of its own: no certificate of a context opens the servers behind the S3.
        own = tls.ensure(self.folder / "tls", [NAME])[NAME]
        write_private(self.folder / "security.toml", security(Files(own.ca, own.cert, own.key)).encode())
        logs = self.folder / "tmp"
        shutil.rmtree(logs, ignore_errors=True)
        private_folder(logs)
        ports = [f"-{server}.port={self._ports[server]}" for server in SERVERS]
        ports += [f"-{server}.port.grpc={self._ports[f'{server}.grpc']}" for server in SERVERS]
        process = Process(
            "seaweed",
            [
                str(script("weed")),
                "mini",
                "-dir=.",
                "-ip=127.0.0.1",
                "-ip.bind=127.0.0.1",
                "-disableHttp",
                *ports,
                # Relative to the folder: the path of a socket must be short.
                "-s3.localSocket=s3.sock",
                "-filer.localSocket=filer.sock",
                f"-bucket={self.bucket}",
                "-master.telemetry=false",
                "-webdav=false",
                "-admin.ui=false",
                "-s3.port.iceberg=0",
                "-s3.port.lance=0",
                "-metricsPort=0",
                "-volume.preStopSeconds=0",
            ],
            log=self._log,
            cwd=self.folder,
            env={
                "AWS_ACCESS_KEY_ID": self.access_key,
                "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "HOME": str(self.folder),  # it reads settings from the home, too
                "TMPDIR": str(logs),
            },
        )
        await self._launch(process)

    async def stop(self) -> None:
        """Stop the server; the objects stay."""
        await super().stop()
        if self.process is not None:
            self._remove_sockets()

    def _remove_sockets(self) -> None:
        # It leaves some of its sockets there, and has no option for another folder.
        for server in SERVERS:
            port = self._ports[f"{server}.grpc"]
            Path(f"/tmp/seaweedfs-{server}-grpc-{port}.sock").unlink(missing_ok=True)  # noqa: S108

    async def _ready(self, process: Process) -> None:
        await process.wait_until(self._is_healthy, within=READY_WITHIN, every=0.1)
        # The S3 may answer before it has found the bytes of an earlier run.
        await process.wait_until(lambda: asyncio.to_thread(self._reads_stored_object), within=READY_WITHIN, every=0.1)

    async def _is_healthy(self) -> bool:
        return await status_of(self._ports["s3"], "/healthz") == 200

    def _reads_stored_object(self) -> bool:
        """Whether a stored object can be read; if there is none yet, store it and return False."""
        # Slow to import: here that happens in a thread, beside the start of the servers.
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError

        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, read_timeout=2),
        )
        try:
            client.get_object(Bucket=self.bucket, Key=PROBE)["Body"].read()
        except client.exceptions.NoSuchKey:
            with contextlib.suppress(ClientError, BotoCoreError):
                client.put_object(Bucket=self.bucket, Key=PROBE, Body=b"ready")
            return False
        except (ClientError, BotoCoreError):
            return False
        return True
