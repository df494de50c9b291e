"""The page that the stack serves is what its sources build, byte for byte."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest
from unora_testing.deadlines import GENEROUS

LOCAL = Path(__file__).resolve().parents[3] / "deploy" / "local"
SOURCES, BUILT = LOCAL / "page", LOCAL / "unora_local" / "page" / "built"
INSTALLED = shutil.which("npm") is not None and (SOURCES / "node_modules" / "vite").exists()
SLOW = 5 * GENEROUS
"""Seconds for the build on a busy machine."""
needs_node = pytest.mark.skipif(
    not INSTALLED, reason="the page cannot be built here: install node and npm, then run `make page` once"
)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@needs_node
async def test_the_page_is_built_from_its_sources(tmp_path: Path) -> None:
    out = tmp_path / "built"
    await npm("run", "build", "--", "--outDir", str(out), "--emptyOutDir")
    assert contents(out) == contents(BUILT), "the sources of the page have changed: run `make page`"


@needs_node
async def test_the_sources_fit_the_types_of_the_contract() -> None:
    assert "0 errors" in await npm("run", "check")


def test_the_page_holds_nothing_inline_and_asks_no_other_place() -> None:
    page = (BUILT / "index.html").read_text()
    assert "<style" not in page
    assert 'style="' not in page
    assert page.count("<script") == page.count('<script type="module" crossorigin src="/local/assets/') == 1
    for name, content in contents(BUILT).items():
        outside = content.replace(b"http://www.w3.org/", b"").replace(b"https://svelte.dev/e/", b"")
        assert b"http://" not in outside, name
        assert b"https://" not in outside, name


async def npm(*words: str) -> str:
    """The output of npm in the folder of the sources, which must succeed."""
    process = await asyncio.create_subprocess_exec(
        *("npm", *words), cwd=SOURCES, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await asyncio.wait_for(process.communicate(), SLOW)
    assert process.returncode == 0, output.decode()
    return output.decode()
