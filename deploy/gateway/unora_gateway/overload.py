"""What the gateway does before its memory or its connections run out: a pod over its limit of memory is killed, and
with it the calls of everybody.
"""

from typing import Any, Final

from unora_gateway.policy import Policy

Json = dict[str, Any]
MONITORS: Final = "type.googleapis.com/envoy.extensions.resource_monitors."
HEAP: Final = "envoy.resource_monitors.fixed_heap"
TIMERS: Final = "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig"
SHORTEST_TIMEOUTS: Final = {"HTTP_DOWNSTREAM_CONNECTION_IDLE": "5s", "TRANSPORT_SOCKET_CONNECT": "2s"}
"""How long a connection may be idle, and how long TLS may take to begin, when little memory is left."""
LEAST_TRACKED: Final = 14
"""Calls that hold less than 2 to this power of bytes (16 KiB) are never given up for memory: most are far smaller."""


def manager(policy: Policy) -> Json:
    """Envoy's overload manager."""
    return {
        "refresh_interval": "0.1s",
        "resource_monitors": [
            _monitor(HEAP, "fixed_heap.v3.FixedHeapConfig", max_heap_size_bytes=policy.memory_bytes),
            _monitor(
                "envoy.resource_monitors.global_downstream_max_connections",
                "downstream_connections.v3.DownstreamConnectionsConfig",
                max_active_downstream_connections=policy.client_connections,
            ),
        ],
        "actions": _actions(),
        "buffer_factory_config": {"minimum_account_to_track_power_of_two": LEAST_TRACKED},
    }


def _actions() -> list[Json]:
    """What is done from which share of the memory on. Idle connections are closed first, the less memory is left the
    sooner. Then the calls that hold the most are given up, the less is left the more of them. At last new calls are
    refused.
    """
    timers = [{"timer": timer, "min_timeout": shortest} for timer, shortest in SHORTEST_TIMEOUTS.items()]
    scaled = {"@type": TIMERS, "timer_scale_factors": timers}
    return [
        _action("reduce_timeouts", typed_config=scaled, scaled=_between(0.5, 0.8)),
        _action("shrink_heap", threshold={"value": 0.8}),
        _action("reset_high_memory_stream", scaled=_between(0.8, 0.95)),
        _action("stop_accepting_requests", threshold={"value": 0.95}),
    ]


def _action(name: str, typed_config: Json | None = None, **trigger: Json) -> Json:
    action = {"name": f"envoy.overload_actions.{name}", "triggers": [{"name": HEAP, **trigger}]}
    return action if typed_config is None else action | {"typed_config": typed_config}


def _between(begin: float, full: float) -> Json:
    """A trigger that grows from the first share of the memory to the second."""
    return {"scaling_threshold": begin, "saturation_threshold": full}


def _monitor(name: str, kind: str, **limit: int) -> Json:
    return {"name": name, "typed_config": {"@type": f"{MONITORS}{kind}", **limit}}
