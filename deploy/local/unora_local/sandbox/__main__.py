"""`python -m unora_local.sandbox`: the sandbox as a process of its own, configured by environment variables."""

import asyncio
import os
import signal
from pathlib import Path

from unora_local.sandbox.server import Sandbox
from unora_local.sandbox.webhooks import WebhookSender
from unora_local.tls import Certificate


async def main() -> None:
    """Serves and delivers until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    certificate = Certificate(*(Path(os.environ[f"UNORA_TLS_{name}"]) for name in ("CA", "CERT", "KEY")))
    sender = WebhookSender(os.environ["UNORA_BILLING_ADDRESS"], certificate)
    sandbox = Sandbox(
        Path(os.environ["UNORA_SANDBOX_STATE"]),
        key=os.environ["UNORA_STRIPE_SECRET_KEY"],
        webhook_secret=os.environ["UNORA_STRIPE_WEBHOOK_SECRET"],
        send=sender,
    )
    url = await sandbox.start(int(os.environ["UNORA_SANDBOX_PORT"]), os.environ["UNORA_SANDBOX_HOST"])
    print("serving on", url, flush=True)
    delivering = asyncio.create_task(sandbox.run())
    await stop.wait()
    delivering.cancel()
    await asyncio.gather(delivering, return_exceptions=True)
    await sandbox.stop()
    await sender.close()


asyncio.run(main())
