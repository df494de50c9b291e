"""Envoy's configuration as a whole."""

from collections.abc import Sequence
from typing import Any

from unora_gateway import overload, tracing
from unora_gateway.clusters import clusters
from unora_gateway.contract import Route
from unora_gateway.listeners import listeners
from unora_gateway.target import Target

Json = dict[str, Any]


def bootstrap(target: Target, routes: Sequence[Route], services: Sequence[str]) -> Json:
    """What `envoy --config-path` reads."""
    return {
        "node": {"id": "gateway", "cluster": "unora"},
        "admin": {
            "address": {"socket_address": {"address": target.admin.host, "port_value": target.admin.port}},
            "ignore_global_conn_limit": True,
        },
        **tracing.runtime(target.policy),
        "overload_manager": overload.manager(target.policy),
        "static_resources": {
            "listeners": listeners(target, routes, services),
            "clusters": clusters(target),
        },
    }
