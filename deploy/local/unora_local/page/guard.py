"""Who may ask: the page of this machine, and no page of another site that is open in the same browser.

A name that leads to 127.0.0.1 makes a foreign page look like one of this machine to the browser; the Host that it
sends tells it apart.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from unora_common.errors import DomainError
from unora_common.grpc_errors import Internal
from unora_gateway.paths import ORIGIN_HEADER
from unora_gateway.refusals import BodyTooLarge, PathUnknown, RequestMalformed, VerbUnknown

from unora_local.keyboard.commands import told
from unora_local.mistakes import Mistake
from unora_local.page.refusals import ForeignOrigin, NotPossible, shape

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
HOSTS: Final = ("127.0.0.1", "localhost")
SAME: Final = ("same-origin", "none")
"""What a browser says in Sec-Fetch-Site of a request by the page itself, and of an address that a person has typed."""
EVENTS: Final = "/local/api/events"
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: http://127.0.0.1:*; "
        "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuses who may not ask, and gives every refusal the one shape."""
    try:
        require_this_machine(request)
        with told():
            return await handler(request)
    except Mistake as error:
        return shape(NotPossible(why=error))
    except DomainError as refusal:
        return shape(refusal)
    except web.HTTPRequestEntityTooLarge:
        return shape(BodyTooLarge())
    except web.HTTPNotFound:
        return shape(PathUnknown())
    except web.HTTPMethodNotAllowed as error:
        return shape(VerbUnknown(allow=", ".join(sorted(error.allowed_methods))))
    except web.HTTPException:
        return shape(RequestMalformed())
    except Exception:
        request.app.logger.exception("%s %s failed", request.method, request.path)
        return shape(Internal())


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """What every answer says to a browser."""
    response.headers.update(HEADERS)


def require_this_machine(request: web.Request) -> None:
    """Raise ForeignOrigin for a request to another host, and for one that another site has caused."""
    if _host(f"//{request.headers.get('Host', '')}") not in HOSTS:
        raise ForeignOrigin
    if request.method in ("GET", "HEAD") and request.path != EVENTS:
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in SAME:
        raise ForeignOrigin
    own = [f"{scheme}://{request.headers['Host']}" for scheme in ("http", "https")]
    for name in (ORIGIN_HEADER, "Origin"):
        if request.headers.get(name) not in (None, *own):
            raise ForeignOrigin


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
