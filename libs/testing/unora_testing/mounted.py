"""Certificates that are renewed while a test runs, in folders as Kubernetes mounts them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

from unora_local import tls
from unora_local.keys import private_folder
from unora_local.tls import Certificate

LONG: Final = timedelta(hours=1)


class Issued(NamedTuple):
    """A certificate and its key as PEM."""

    cert: bytes
    key: bytes


class Authority:
    """Issues certificates."""

    def __init__(self, folder: Path, *, made: Certificate | None = None, life: timedelta = LONG) -> None:
        """A new one in `folder`; or one that is `made`, with its key."""
        private_folder(folder)
        self._folder = folder
        self._own = made or Certificate(folder / "ca.pem", folder / "ca.pem", folder / "ca.key")
        if made is None:
            tls.make_authority(self._own, life)

    @classmethod
    def of(cls, folder: Path, certificate: Certificate) -> Authority:
        """The authority of a certificate of this machine."""
        ca = certificate.ca
        return cls(folder, made=Certificate(ca, ca, ca.with_suffix(".key")))

    @property
    def pem(self) -> bytes:
        """Its own certificate."""
        return self._own.cert.read_bytes()

    def issue(self, name: str, life: timedelta = LONG) -> Issued:
        """A new certificate for the name."""
        draft = Certificate(self._own.ca, self._folder / "draft.pem", self._folder / "draft.key")
        tls.issue(draft, name, self._own, life)
        return Issued(draft.cert.read_bytes(), draft.key.read_bytes())


class Mounted:
    """A folder with a certificate, its key and the authorities that are trusted. Each file is a link over the link
    `..data`; a renewal writes a new folder, and then moves `..data` to it.
    """

    def __init__(self, folder: Path, authorities: Sequence[Authority], issued: Issued) -> None:
        private_folder(folder)
        self._folder = folder
        self._versions = count()
        names = ("ca.pem", "cert.pem", "key.pem")
        self.files = Certificate(*(folder / name for name in names))
        self.put(authorities, issued)
        for name in names:
            (folder / name).symlink_to(Path("..data") / name)

    def put(self, authorities: Sequence[Authority], issued: Issued) -> None:
        """Replaces all files at one moment."""
        self.put_bytes(b"".join(each.pem for each in authorities), issued.cert, issued.key)

    def put_bytes(self, ca: bytes, cert: bytes, key: bytes) -> None:
        """The same with anything in the files."""
        data, draft = self._folder / "..data", self._folder / "..data_tmp"
        old = data.resolve() if data.is_symlink() else None
        new = self._folder / f"..{next(self._versions)}"
        private_folder(new)
        for file, content in zip(self.files_in(new), (ca, cert, key), strict=True):
            file.write_bytes(content)
        draft.symlink_to(new.name)
        draft.rename(data)
        if old:
            shutil.rmtree(old)

    @staticmethod
    def files_in(folder: Path) -> tuple[Path, Path, Path]:
        """The authorities, the certificate and the key."""
        return folder / "ca.pem", folder / "cert.pem", folder / "key.pem"
