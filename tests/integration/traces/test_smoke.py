from __future__ import annotations
import os
from unora_testing.collector import collector, named
from unora_testing.gateway import gateway_before
from tests.integration.traces.traced_world import traced_world
from tests.integration.gateway.signing_in import sign_in


async def test_smoke(testbed) -> None:
    async with collector() as seen, traced_world(testbed, "main", seen) as world, gateway_before(world, traces_endpoint=seen.endpoint, traces_ratio="1") as door:
        async with door.web() as web:
            signed = await sign_in(world, web, "+14155550142")
            r = await web.get("/v1/nothing/secret", headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"})
            print(r.status_code)
            await world.drain()
        import asyncio
        await asyncio.sleep(6)
        spans = seen.spans
        by = {s.id: s for s in spans}
        kids = {}
        for s in spans: kids.setdefault(s.parent, []).append(s)
        def show(s, d):
            print("  "*d, s.service, s.kind, s.name, s.nanoseconds//1000, s.attributes, s.failed, s.links)
            for k in kids.get(s.id, []): show(k, d+1)
        for s in spans:
            if s.parent not in by and s.service=='gateway': show(s, 0)
        print([r for r in seen.resources if r['service.name']=='gateway'][0])
        print(door.log.read_text())
