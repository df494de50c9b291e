from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING

import pytest
from unora_common.config import CONTEXTS
from unora_local import tls
from unora_testing.gateway import Door, gateway_before, gateway_of

from tests.integration.gateway.recorder import Recorder, recorder

if TYPE_CHECKING:
    from unora_local.tls import Certificate
    from unora_testing.world import World


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Certificate]:
    return tls.ensure(tmp_path_factory.mktemp("tls"), [*CONTEXTS, *tls.CALLERS, tls.FRONT])


@pytest.fixture(scope="module")
async def services(certificates: Mapping[str, Certificate]) -> AsyncIterator[Recorder]:
    """Stand-ins for the services, which note what reaches them."""
    async with recorder(certificates) as made:
        yield made


@pytest.fixture(scope="module")
async def door(services: Recorder, certificates: Mapping[str, Certificate]) -> AsyncIterator[Door]:
    """A gateway before the stand-ins."""
    async with gateway_of(services.addresses, certificates) as made:
        yield made


@pytest.fixture(scope="module")
async def world_door(world: World) -> AsyncIterator[Door]:
    """A gateway before the real services."""
    async with gateway_before(world) as made:
        yield made
