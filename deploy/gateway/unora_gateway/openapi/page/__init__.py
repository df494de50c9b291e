"""The page at /docs: Redoc with the document, all of it from here."""

from pathlib import Path
from typing import Final

from unora_gateway.openapi.document import FILE
from unora_gateway.target import Page

FOLDER: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere. Redoc writes its styles into the page, and its search is a worker."""
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
PAGES: Final = (
    Page("/docs", FOLDER / "index.html", "text/html; charset=utf-8", HEADERS),
    Page("/docs/redoc.standalone.js", FOLDER / "redoc.standalone.js", "text/javascript; charset=utf-8", HEADERS),
    Page("/docs/openapi.json", FILE, "application/json", HEADERS),
)
"""What the gateway serves."""
