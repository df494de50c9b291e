"""The licences of what is handed over."""

from __future__ import annotations

import pytest
from unora_tools.supply import bundled, listing
from unora_tools.supply.licences import ALLOWED_BUNDLED, LicenceError, require_allowed
from unora_tools.supply.parts import ROOT, Part, parts_of


def part(name: str, version: str = "1.0") -> Part:
    return Part(name=name, version=version, hashes=(), expression="MIT", summary="", needs=())


def test_the_page_of_licences_is_of_the_lock_files_and_every_licence_goes_with_ours() -> None:
    assert (ROOT / listing.FILE).read_text() == listing.page(), "run `make licences`"


@pytest.mark.parametrize(
    "expression", ["MIT", "GPL-3.0-only OR MIT", "MIT AND PSF-2.0", "(MIT OR AGPL-3.0-only) AND ISC"]
)
def test_what_can_be_taken_under_allowed_licences_alone_may_be_there(expression: str) -> None:
    require_allowed("thing", expression)


@pytest.mark.parametrize("expression", ["GPL-3.0-only", "AGPL-3.0-only", "MIT AND GPL-2.0-only", "LGPL-3.0-or-later"])
def test_a_licence_that_asks_for_more_is_refused(expression: str) -> None:
    with pytest.raises(LicenceError, match="take another package"):
        require_allowed("thing", expression)


@pytest.mark.parametrize("expression", ["", "Dual License", "BSD", "GPL-3.0-only WITH Nothing-exception"])
def test_words_that_name_no_licence_are_refused_and_the_message_says_what_to_do(expression: str) -> None:
    with pytest.raises(LicenceError, match="read its text, and name its licence in BY_NAME"):
        require_allowed("thing", expression)


def test_a_shared_library_may_be_under_the_lgpl_and_not_under_the_gpl() -> None:
    require_allowed("thing", "LGPL-3.0-or-later", ALLOWED_BUNDLED)
    require_allowed("thing", "GPL-3.0-or-later WITH GCC-exception-3.1", ALLOWED_BUNDLED)
    with pytest.raises(LicenceError):
        require_allowed("thing", "GPL-3.0-or-later", ALLOWED_BUNDLED)


def test_a_shared_library_that_nobody_has_read_about_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled, "LIBRARIES", {name: of for name, of in bundled.LIBRARIES.items() if name != "heif"})
    with pytest.raises(LicenceError, match=r"pi-heif brings libheif-.* along"):
        bundled.libraries_of([part("pi-heif")])


def test_every_library_of_the_table_is_in_a_package() -> None:
    found = {library.name for library in bundled.libraries_of(parts_of("unora-identity"))}
    assert found == {name for name, _ in bundled.LIBRARIES.values()}
