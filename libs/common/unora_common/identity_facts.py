"""What every process asks identity for: its public keys, and the sessions that were revoked lately (SA-06)."""

from __future__ import annotations

from uuid import UUID

from unora.identity.v1.account_service_pb2 import GetJwksRequest
from unora.identity.v1.account_service_pb2_grpc import AccountServiceStub
from unora.identity.v1.directory_service_pb2 import ListRevocationsRequest
from unora.identity.v1.directory_service_pb2_grpc import DirectoryServiceStub

from unora_common.clients import Clients
from unora_common.tokens import Jwks


async def fetch_jwks(clients: Clients) -> Jwks:
    """Fetches the public keys of tokens. Raises as `Clients.call`."""
    stub = clients.stub(AccountServiceStub, "unora.identity.v1.AccountService")
    response = await clients.call(stub.GetJwks, GetJwksRequest())
    names = ("kty", "crv", "x", "y", "kid", "alg", "use")
    return {"keys": [{name: getattr(key, name) for name in names} for key in response.keys]}


async def fetch_revocations(clients: Clients) -> frozenset[UUID]:
    """Fetches the whole list from identity, page by page."""
    stub = clients.stub(DirectoryServiceStub, "unora.identity.v1.DirectoryService")
    found: set[UUID] = set()
    page = ""
    while True:
        request = ListRevocationsRequest(page_token=page)
        answer = await clients.call(stub.ListRevocations, request)
        found.update(map(UUID, answer.session_ids))
        page = answer.next_page_token
        if not page:
            return frozenset(found)
