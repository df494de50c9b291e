"""One trace from the gateway to what its events cause elsewhere, and what of it may be said (XX-01)."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from unora_testing.collector import Collector, Seen
from unora_testing.deadlines import eventually
from unora_testing.gateway import Door, gateway_before

from tests.integration.matching.people import People
from tests.integration.traces.traced_world import TracedWorld
from tests.support import request_id

SEND: Final = "unora.matching.v1.MatchingService/SendInterest"
FORMED, STARTED = "unora.matching.v1.connection_formed", "unora.streak.v1.streak_started"
TREE: Final = (
    f"gateway {SEND}",
    f"gateway {SEND}",
    f"matching {SEND}",
    "matching transaction",
    f"matching publish {FORMED}",
    f"streak process {FORMED}",
    "streak transaction",
    f"streak publish {STARTED}",
    f"reveal process {STARTED}",
    "reveal transaction",
)
"""From the first span down to what the last event in the chain does."""
TO_PEERS: Final = (
    f"matching {SEND}",
    "matching unora.discovery.v1.CardService/ResolveCard",
    "discovery unora.discovery.v1.CardService/ResolveCard",
    "discovery SELECT discovery.discovery_cards SELECT discovery.discovery_batches",
)
"""The call that goes before the transaction."""
OF_A_CONSUMER: Final = (
    f"streak process {FORMED}",
    "streak unora.identity.v1.DirectoryService/GetTimeZones",
    "identity unora.identity.v1.DirectoryService/GetTimeZones",
)
PATHS: Final = (TREE, TO_PEERS, OF_A_CONSUMER)
SENDERS: Final = {"gateway", "matching", "streak", "reveal", "identity", "discovery"}
"""Each sends its spans on its own."""
ALLOWED: Final = {
    *("rpc.system.name", "rpc.method", "rpc.response.status_code", "error.type", "unora.reason"),
    *("db.system.name", "db.query.summary", "db.response.status_code"),
    *("messaging.system", "messaging.destination.name", "messaging.operation.name", "messaging.operation.type"),
    *("messaging.consumer.group.name", "messaging.batch.message_count", "unora.job", "unora.done"),
    *("http.request.method", "server.address", "server.port", "http.response.status_code", "unora.provider"),
}
"""All that services say of a span."""
ALLOWED_OF_GATEWAY: Final = {
    *("component", "node_id", "zone", "upstream_cluster", "upstream_cluster.name", "upstream_address", "rpc.method"),
    *("http.method", "http.protocol", "http.status_code", "response_flags", "request_size", "response_size"),
    *("grpc.status_code", "grpc.message", "error", "canceled"),
}
"""All that the gateway says of a span, beside the attributes that it has overwritten with a dash."""
OF_KEYS: Final = {"JWT Remote PubKey Fetch": {"peer.address"}}
"""Now and then Envoy fetches the keys of tokens, from itself, while a call waits: the address is its own."""
HIDDEN: Final = "Hidden7"


async def form_connection(world: TracedWorld, door: Door) -> str:
    """A call over REST that makes a connection. Returns the id of its trace, which the gateway's log says."""
    people = People(world)
    one, other = await people.members("free", "free")
    await people.wish(one, other)
    traceparent = f"00-{request_id().replace('-', '')}-00f067aa0ba902b7-00"
    async with door.web(**dict(other.metadata), traceparent=traceparent) as web:
        card = await people.card(other, one)
        answer = await web.post("/v1/interests", json={"request_id": request_id(), "card_id": card})
    assert answer.json()["connection"]
    await world.drain()

    def logged() -> set[str]:
        return {line["trace"] for line in log_of(door) if line.get("client_trace") == traceparent}

    await eventually(logged, "the log has the trace")
    (trace,) = logged()
    return trace


def log_of(door: Door) -> list[dict[str, Any]]:
    """The lines of the gateway's log."""
    return [json.loads(line) for line in door.log.read_text().splitlines() if line.startswith("{")]


def is_path(spans: list[Seen], names: tuple[str, ...]) -> bool:
    """Whether there are spans with these names, each the parent of the next."""

    def leads(above: str, left: tuple[str, ...]) -> bool:
        return not left or any(
            leads(span.id, left[1:]) for span in spans if span.parent == above and span.said == left[0]
        )

    return any(leads(span.id, names[1:]) for span in spans if span.said == names[0])


async def test_one_trace_leads_from_the_gateway_to_what_its_events_cause(
    world: TracedWorld, door: Door, traces: Collector
) -> None:
    trace = await form_connection(world, door)

    def complete() -> list[Seen] | None:
        spans = traces.of_trace(trace)
        all_sent = {each["service.name"] for each in traces.resources} >= SENDERS
        return spans if all_sent and all(is_path(spans, path) for path in PATHS) else None

    spans = await eventually(lambda: complete(), f"the trace {trace} has the paths {PATHS}, and all of {SENDERS} sent")
    assert isinstance(spans, list)
    assert len({span.id for span in spans}) == len(spans), "each hop has an id of its own"
    kinds = {span.said: span.kind for span in spans}
    assert [kinds[name] for name in TREE[2:6]] == ["server", "internal", "producer", "consumer"]
    assert {span.kind for span in spans if span.said == TREE[0]} == {"server", "client"}
    assert kinds[TO_PEERS[1]] == "client"
    assert not any(span.failed for span in spans)
    (process,) = (span for span in spans if span.said == f"streak process {FORMED}")
    assert process.attributes["messaging.consumer.group.name"] == "streak__connection_formed"
    resources = {each["service.name"]: each for each in traces.resources}
    for name in ("gateway", "matching"):
        assert (resources[name]["service.namespace"], resources[name]["service.version"]) == ("unora", "0.1.0")
    assert resources["matching"]["service.instance.id"]


@pytest.mark.rule("XX-01")
async def test_spans_say_nothing_but_what_is_listed_whatever_a_client_sends(
    world: TracedWorld, door: Door, traces: Collector
) -> None:
    trace = await form_connection(world, door)
    hostile = {
        "traceparent": f"00-{trace}-00f067aa0ba902b7-01",
        "tracestate": f"a={HIDDEN}",
        "baggage": f"a={HIDDEN}",
        "user-agent": HIDDEN,
        "x-client-trace-id": HIDDEN,
        "x-request-id": HIDDEN,
        "x-envoy-downstream-service-cluster": HIDDEN,
        "x-envoy-decorator-operation": HIDDEN,
        "x-forwarded-for": "203.0.113.77",
        "authorization": f"Bearer {HIDDEN}",
    }
    async with door.web(**hostile) as web:
        assert (await web.get(f"/v1/{HIDDEN}?{HIDDEN}={HIDDEN}")).status_code == 404
        assert (await web.get(f"/v1/account?{HIDDEN}=1")).status_code == 400
        assert (await web.get("/v1/account", headers={"host": HIDDEN})).status_code == 401
        assert (await web.request(HIDDEN.upper(), "/v1/account")).status_code == 400
        await web.post(f"/{HIDDEN}/Method", headers={"content-type": "application/grpc"})
    refused = "identity unora.identity.v1.AccountService/GetAccount"
    await traces.wait_for("gateway rest", "gateway unknown", refused)
    (call,) = (span for span in traces.spans if span.said == refused)
    assert (call.attributes["unora.reason"], call.failed) == ("TOKEN_INVALID", False)
    for span in traces.spans:
        listed = {name for name, value in span.attributes.items() if value != "-"}
        assert listed - OF_KEYS.get(span.name, set()) <= (
            ALLOWED_OF_GATEWAY if span.service == "gateway" else ALLOWED
        ), span
    sent = b"".join(traces.received)
    for private in (HIDDEN, HIDDEN.upper(), "203.0.113.77", "127.0.0.1:0"):
        assert private.encode() not in sent
    for user in await _members(world):
        assert user.encode() not in sent


async def _members(world: TracedWorld) -> list[str]:
    """The ids of all members that anything was stored about."""
    rows = await world.superuser.fetch("SELECT user_a_id, user_b_id FROM matching.connections")
    return [str(member) for row in rows for member in row]


async def test_the_log_of_the_gateway_names_the_trace(door: Door, traces: Collector) -> None:
    async with door.web() as web:
        assert (await web.get("/v1/account")).status_code == 401
    spans = await traces.wait_for("gateway unora.identity.v1.AccountService/GetAccount")
    known = {span.trace for span in spans if span.name.endswith("/GetAccount")}

    def logged() -> set[Any]:
        return {line.get("trace") for line in log_of(door) if line.get("method", "").endswith("/GetAccount")}

    await eventually(lambda: logged() & known, "a line of the log names the trace")


async def test_no_caller_has_a_call_recorded(world: TracedWorld, door: Door, traces: Collector) -> None:
    """Hardly any call is recorded, and the caller asks for it by the flag and by an id that is below any share."""
    before = gateway_before(world, traces_endpoint=traces.endpoint, traces_ratio="0.000001")
    traceparent = "00-00000000000000000000000000000001-00f067aa0ba902b7-01"
    async with before as silent, silent.web(traceparent=traceparent, **{"x-client-trace-id": "1"}) as web:
        assert (await web.get("/v1/devices")).status_code == 401
    async with door.web() as web:
        assert (await web.get("/v1/sessions")).status_code == 401
    spans = await traces.wait_for("identity unora.identity.v1.AccountService/ListSessions")
    assert not [span for span in spans if span.name.endswith("/ListDevices")]
