"""What the gateway does before its memory or its connections run out: a pod over its limit of memory is killed, and
with it the calls of everybody.
"""

from typing import Any, Final

from unora_gateway.policy import Policy

Json = dict[str, Any]
MONITORS: Final = "type.googleapis.com/envoy.extensions.resource_monitors."
HEAP: Final = "envoy.resource_monitors.fixed_heap"
SHARES: Final = {
    "reduce_timeouts": {"scaled": {"scaling_threshold": 0.5, "saturation_threshold": 0.8}},
    "shrink_heap": {"threshold": {"value": 0.8}},
    "reset_high_memory_stream": {"scaled": {"scaling_threshold": 0.8, "saturation_threshold": 0.95}},
    "stop_accepting_requests": {"threshold": {"value": 0.95}},
}
"""From which share of the memory on. Connections without a call are closed first, sooner the less is left; then the
calls that hold the most are given up, more of them the less is left; at last new calls are refused.
"""
PATIENCE: Final = {"HTTP_DOWNSTREAM_CONNECTION_IDLE": "5s", "TRANSPORT_SOCKET_CONNECT": "2s"}
"""What remains of the time that a connection may be idle, and that it may take to begin."""
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
        "actions": [
            {"name": f"envoy.overload_actions.{action}", "triggers": [{"name": HEAP, **share}], **_settings(action)}
            for action, share in SHARES.items()
        ],
        "buffer_factory_config": {"minimum_account_to_track_power_of_two": LEAST_TRACKED},
    }


def _settings(action: str) -> Json:
    if action != "reduce_timeouts":
        return {}
    timers = [{"timer": timer, "min_timeout": least} for timer, least in PATIENCE.items()]
    kind = "type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig"
    return {"typed_config": {"@type": kind, "timer_scale_factors": timers}}


def _monitor(name: str, kind: str, **limit: int) -> Json:
    return {"name": name, "typed_config": {"@type": f"{MONITORS}{kind}", **limit}}
