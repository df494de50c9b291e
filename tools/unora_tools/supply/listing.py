"""`make licences`: writes docs/third-party-licences.md, and fails if a part may not be in what is handed over."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from unora_tools.markdown import table
from unora_tools.supply.bundled import built_in, libraries_of
from unora_tools.supply.licences import LicenceError, licence_of
from unora_tools.supply.parts import ROOT, parts_of

FILE: Final = Path("docs") / "third-party-licences.md"
HEAD: Final = """# Third-party licences

What the images hold of others, and under which licence: `make licences` writes this page from the lock files and from
what the packages say of themselves, and fails if a licence does not go with Apache-2.0. [image.md](image.md#licences)
says which do. Each package carries its licence's text in the image, in `*.dist-info` of
`/opt/unora/lib/python3.*/site-packages`. Python itself and the packages of Debian are the base image's; it has their
texts in `/usr/share/doc`.
"""


def page(root: Path = ROOT) -> str:
    """The text of the page. Raises LicenceError for a part that may not be there."""
    parts = parts_of("unora-identity", root)
    everywhere = {part.name for part in parts_of("unora", root)}
    images = {True: "both", False: "identity"}
    rows = [(part.name, part.version, licence_of(part), images[part.name in everywhere]) for part in parts]
    libraries = [(each.name, each.licence, each.package) for each in libraries_of(parts)]
    files = [(each.name, each.version, each.licence, each.where) for each in built_in(root)]
    return "\n".join(
        [
            HEAD,
            "## Packages\n",
            table(("package", "version", "licence", "image"), rows),
            "\n## Shared libraries that packages bring along\n",
            "Each is a file of its own (`*.libs` beside the package), which another build can replace.\n",
            table(("library", "licence", "package"), libraries),
            "\n## Files of the repository that npm built\n",
            "No image holds them.\n",
            table(("package", "version", "licence", "part of"), files),
            "",
        ]
    )


def main() -> int:
    """Write the page. Return the exit status."""
    try:
        text = page()
    except (LicenceError, ValueError) as error:
        print(f"licences: {error}", file=sys.stderr)
        return 1
    (ROOT / FILE).write_text(text)
    print(f"licences: all go with Apache-2.0; {FILE} has the list")
    return 0


if __name__ == "__main__":
    sys.exit(main())
