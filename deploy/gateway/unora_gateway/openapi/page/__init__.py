"""The page at /docs: Redoc with the document, all of it from here."""

from pathlib import Path
from typing import Final

from unora_gateway.openapi.document import FILE

FOLDER: Final = Path(__file__).parent
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; "
    "worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere. Redoc writes its styles into the page, and its search is a worker."""
FILES: Final = {
    "/docs": (FOLDER / "index.html", "text/html; charset=utf-8"),
    "/docs/redoc.standalone.js": (FOLDER / "redoc.standalone.js", "text/javascript; charset=utf-8"),
    "/docs/openapi.json": (FILE, "application/json"),
}
"""What the gateway serves at which path, and its media type."""
