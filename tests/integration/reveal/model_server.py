"""A language model that speaks OpenAI's protocol on loopback, and does whatever the words of a member tell it to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

FINE = (
    "If you want to know them, ask about chess first, because they can spend a whole afternoon on it and count it as "
    "rest. The other thing that they would never leave out is hiking, best early, with good bread in the bag and no "
    "hurry at all. It is easy to imagine a long walk with them, and an honest talk."
)
"""A text about a member with these hobbies."""
TITLE = "A long walk"


class ObedientModel:
    """Its answer to a prompt is FINE, unless a word of command stands in the prompt: then it is what that asks for."""

    def __init__(self) -> None:
        self.commands: dict[str, str] = {}
        """What to answer, as raw content, by the words that ask for it."""
        self.raw: web.Response | None = None
        """The next answer, whatever the protocol says."""
        self.failures: list[int] = []
        """Status codes of the next answers; 0 gives no answer at all."""
        self.prompts: list[str] = []
        self.keys: set[str] = set()
        self.address = ""
        self._stopped = asyncio.Event()

    def obey(self, command: str, text: str, title: str = TITLE) -> None:
        """Answers prompts that hold the command with this text."""
        self.commands[command] = json.dumps({"title": title, "text": text})

    async def answer(self, request: web.Request) -> web.Response:
        """POST /v1/chat/completions."""
        body = await request.json()
        prompt = json.dumps([message["content"] for message in body["messages"]], ensure_ascii=False)
        self.prompts.append(prompt)
        self.keys.add(request.headers.get("authorization", ""))
        if self.raw is not None:
            raw, self.raw = self.raw, None
            return raw
        if self.failures:
            status = self.failures.pop(0)
            if not status:
                await self._stopped.wait()
            return web.json_response({"error": {"message": "no"}}, status=status or 500)
        fine = f"Here it is:\n```json\n{json.dumps({'title': TITLE, 'text': FINE})}\n```"
        said = next((content for command, content in self.commands.items() if command in prompt), fine)
        return web.json_response(_completion(str(body["model"]), said))

    def stop(self) -> None:
        """Lets go of the calls that get no answer."""
        self._stopped.set()


@asynccontextmanager
async def obedient_model() -> AsyncIterator[ObedientModel]:
    """Serves on loopback until the block ends."""
    model, application = ObedientModel(), web.Application()
    application.add_routes([web.post("/v1/chat/completions", model.answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        model.address = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        yield model
    finally:
        model.stop()
        await runner.cleanup()


def _completion(model: str, content: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
