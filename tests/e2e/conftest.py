"""Real processes take longest and mostly wait: they come neither last nor both at once."""

from __future__ import annotations

import pytest

ORDER = ("tests/e2e/test_journey", "tests/contract/", "tests/integration/", "tests/e2e/", "tests/unit/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: next((at for at, start in enumerate(ORDER) if start in item.nodeid), len(ORDER)))
