"""`make sbom`: writes a bill of materials of each image, CycloneDX 1.6 as JSON, into .run/sbom.

Equal inputs give equal files: the time is that of the commit, and the serial number follows from the content.
"""

from __future__ import annotations

import hashlib
import sys
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from unora_tools.commit import Commit, commit_of
from unora_tools.supply.bundled import libraries_of
from unora_tools.supply.licences import LicenceError, licence_of
from unora_tools.supply.parts import LOCKS, ROOT, Part, parts_of

FOLDER: Final = ROOT / ".run" / "sbom"
LICENCES: Final = LicenseFactory()


def bill_of(image: str, commit: Commit, version: str, root: Path = ROOT) -> str:
    """The bill of an image, as JSON. Raises LicenceError for a part that may not be there."""
    lock = (root / LOCKS[image]).read_bytes()
    digest = hashlib.sha256(lock).hexdigest()
    top = Component(
        type=ComponentType.CONTAINER,
        name=image,
        version=version,
        bom_ref=image,
        licenses=[LICENCES.make_from_string("Apache-2.0")],
        properties=[
            Property(name="unora:revision", value=commit.revision),
            Property(name="unora:lock", value=LOCKS[image]),
            Property(name="unora:lock:sha256", value=digest),
        ],
    )
    bom = Bom(
        serial_number=uuid.uuid5(uuid.NAMESPACE_OID, f"unora:{image}:{commit.revision}:{digest}"),
        metadata=BomMetaData(component=top, timestamp=datetime.fromtimestamp(commit.seconds, UTC)),
    )
    parts = parts_of(image, root)
    components = {part.name: _component(part) for part in parts}
    for library in libraries_of(parts):
        components[library.package].components.add(
            Component(
                type=ComponentType.LIBRARY,
                name=library.name,
                bom_ref=f"{library.package}/{library.name}",
                licenses=[LICENCES.make_from_string(library.licence)],
            )
        )
    for component in components.values():
        bom.components.add(component)
    for part in parts:
        bom.register_dependency(components[part.name], [components[name] for name in part.needs if name in components])
    bom.register_dependency(top, components.values())
    return JsonV1Dot6(bom).output_as_string(indent=1) + "\n"


def _component(part: Part) -> Component:
    return Component(
        type=ComponentType.LIBRARY,
        name=part.name,
        version=part.version,
        bom_ref=f"{part.name}=={part.version}",
        purl=PackageURL("pypi", None, part.name, part.version),
        description=part.summary or None,
        licenses=[LICENCES.make_from_string(licence_of(part))],
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in part.hashes],
    )


def main() -> int:
    """Write both files. Return the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    commit = commit_of(ROOT)
    for image in LOCKS:
        try:
            text = bill_of(image, commit, commit.version)
        except (LicenceError, ValueError) as error:
            print(f"sbom: {error}", file=sys.stderr)
            return 1
        file = FOLDER / f"{image}.cdx.json"
        file.write_text(text)
        print(f"sbom: {file.relative_to(ROOT)}: {text.count('pkg:pypi/')} packages of {image}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
