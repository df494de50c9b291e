"""The shared libraries that wheels bring along, and the files of others that the repository holds."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from unora_tools.supply.licences import ALLOWED_BUNDLED, LicenceError, require_allowed
from unora_tools.supply.parts import ROOT, Part

LGPL_2: Final = "LGPL-2.1-or-later"
GCC: Final = "GPL-3.0-or-later WITH GCC-exception-3.1"
LIBRARIES: Final = {
    "Xau": ("libXau", "MIT"),
    "aom": ("libaom", "BSD-2-Clause"),
    "avcodec": ("FFmpeg", LGPL_2),
    "avformat": ("FFmpeg", LGPL_2),
    "avif": ("libavif", "BSD-2-Clause"),
    "avutil": ("FFmpeg", LGPL_2),
    "brotlicommon": ("Brotli", "MIT"),
    "brotlidec": ("Brotli", "MIT"),
    "crypto": ("OpenSSL 1.1", "OpenSSL"),
    "dav1d": ("dav1d", "BSD-2-Clause"),
    "de265": ("libde265", "LGPL-3.0-or-later"),
    "drm": ("libdrm", "MIT"),
    "freetype": ("FreeType", "FTL"),
    "gfortran": ("libgfortran", GCC),
    "harfbuzz": ("HarfBuzz", "MIT-Modern-Variant"),
    "heif": ("libheif", "LGPL-3.0-or-later"),
    "jpeg": ("libjpeg-turbo", "IJG AND BSD-3-Clause AND Zlib"),
    "lcms2": ("Little CMS", "MIT"),
    "lzma": ("liblzma", "0BSD"),
    "openblasp-r0": ("OpenBLAS", "BSD-3-Clause"),
    "openjp2": ("OpenJPEG", "BSD-2-Clause"),
    "png16": ("libpng", "libpng-2.0"),
    "quadmath": ("libquadmath", LGPL_2),
    "scipy_openblas64_": ("OpenBLAS", "BSD-3-Clause"),
    "sharpyuv": ("libwebp", "BSD-3-Clause"),
    "ssl": ("OpenSSL 1.1", "OpenSSL"),
    "swresample": ("FFmpeg", LGPL_2),
    "swscale": ("FFmpeg", LGPL_2),
    "tiff": ("libtiff", "libtiff"),
    "vpx": ("libvpx", "BSD-3-Clause"),
    "webp": ("libwebp", "BSD-3-Clause"),
    "webpdemux": ("libwebp", "BSD-3-Clause"),
    "webpmux": ("libwebp", "BSD-3-Clause"),
    "xcb": ("libxcb", "MIT"),
    "zstd": ("Zstandard", "BSD-3-Clause"),
}
"""The library of a file lib<key>-<hash>.so, and its licence."""
BUILT_IN: Final = (
    ("clients/typescript/package-lock.json", ("redoc",), "the reference of REST that the gateway serves"),
    ("deploy/local/page/package-lock.json", ("svelte", "openapi-fetch"), "the page of `make up`"),
)
"""What npm built into files of the repository: the lock file, the packages, and where they went. No image has them."""


@dataclass(frozen=True, order=True)
class Library:
    """A shared library that the wheel of a package brings along."""

    package: str
    name: str
    licence: str


@dataclass(frozen=True, order=True)
class BuiltIn:
    """A package of npm that is part of a file of the repository."""

    name: str
    version: str
    licence: str
    where: str


def libraries_of(parts: list[Part]) -> list[Library]:
    """The shared libraries beside the packages. Raises LicenceError for one that is unknown or not allowed."""
    found = set()
    for part in parts:
        for file in metadata.distribution(part.name).files or ():
            if len(file.parts) == 2 and file.parts[0].endswith(".libs"):
                found.add(Library(part.name, *_library(part.name, file.name)))
    return sorted(found)


def _library(package: str, file: str) -> tuple[str, str]:
    match = re.fullmatch(r"lib(.+?)-[0-9a-f]{8}.*", file)
    known = LIBRARIES.get(match[1]) if match else None
    if known is None:
        raise LicenceError(
            f"{package} brings {file} along, whose licence is not known here: read it, and name it in LIBRARIES of "
            "tools/unora_tools/supply/bundled.py"
        )
    require_allowed(f"{package}: {file}", known[1], ALLOWED_BUNDLED)
    return known


def built_in(root: Path = ROOT) -> list[BuiltIn]:
    """What npm built into files of the repository. Raises LicenceError for one that may not be there."""
    found = []
    for lock, names, where in BUILT_IN:
        packages = json.loads((root / lock).read_text())["packages"]
        for name in names:
            of = packages[f"node_modules/{name}"]
            require_allowed(name, of["license"])
            found.append(BuiltIn(name, of["version"], of["license"], where))
    return sorted(found)
