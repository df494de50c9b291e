"""The one shape for refusals of Envoy's own, which it calls local replies."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from unora_common.admission import ServiceBusy
from unora_common.budgets import RETRY_AFTER, TooManyCalls
from unora_common.errors import DomainError, Unavailable

from unora_gateway import paths
from unora_gateway.refusals import HeadersTooLarge, RequestMalformed, RequestSlow, said_of
from unora_gateway.target import Target

Json = dict[str, Any]
DETAILS_HEADER: Final = "x-unora-refused"
KIND_HEADER: Final = "x-unora-asked"
VERB_HEADER: Final = "x-unora-verb"
"""What a refusal of Envoy's own tells the script, which removes them from the answer."""
_CEL: Final = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter"


def shaped(target: Target) -> Json:
    """What the script needs to give Envoy's own refusals the one shape; those that no filter sees get it here."""
    return {
        "mappers": [
            {"filter": _status("EQ", 431), "body_format_override": _body(HeadersTooLarge)},
            *_without_memory(),
            *([] if target.bridge is None else _before_the_bridge()),
            {
                "filter": _status("GE", 400),
                "headers_to_add": [
                    _added(DETAILS_HEADER, "%RESPONSE_CODE_DETAILS%"),
                    _added(KIND_HEADER, "%REQ(CONTENT-TYPE)%"),
                    _added(VERB_HEADER, "%REQ(:METHOD)%"),
                ],
            },
        ]
    }


def _without_memory() -> list[Json]:
    """Calls that are refused because memory is nearly full (`overload`): the script does not see them."""
    busy = said_of(ServiceBusy(RETRY_AFTER))
    details = {"@type": f"type.googleapis.com/{_CEL}", "expression": 'response.code_details == "overload"'}
    full = {"extension_filter": {"name": "envoy.access_loggers.extension_filters.cel", "typed_config": details}}
    of_grpc = {"header_filter": {"header": {"name": "content-type", "string_match": {"prefix": "application/grpc"}}}}
    in_headers = {"grpc-status": str(busy.number), "grpc-status-details-bin": busy.details}
    after = _added("retry-after", busy.metadata["retry_after"])
    return [
        {
            "filter": {"and_filter": {"filters": [full, of_grpc]}},
            "status_code": busy.http,
            "headers_to_add": [after, *(_added(name, value) for name, value in in_headers.items())],
            "body_format_override": {"text_format_source": {"inline_string": busy.sentence}},
        },
        {
            "filter": full,
            "status_code": busy.http,
            "headers_to_add": [after],
            "body_format_override": _body(ServiceBusy, busy.metadata),
        },
    ]


def _before_the_bridge() -> list[Json]:
    """The script does not see the bridge's paths, so what Envoy itself refuses there gets its shape here. A status of
    500 or more says that the bridge is away.
    """
    of_bridge = {"header_filter": {"header": {"name": ":path", "string_match": {"prefix": paths.LOCAL}}}}
    return [
        {"filter": {"and_filter": {"filters": [of_bridge, status]}}, "body_format_override": _body(refused)}
        for status, refused in (
            (_status("EQ", 400), RequestMalformed),
            (_status("EQ", 408), RequestSlow),
            (_status("EQ", 429), TooManyCalls),
            (_status("GE", 500), Unavailable),
        )
    ]


def _status(comparison: str, status: int) -> Json:
    return {"status_code_filter": {"comparison": {"op": comparison, "value": _number(status)}}}


def _body(refused: type[DomainError], metadata: Mapping[str, str] = MappingProxyType({})) -> Json:
    said = {"code": refused.code, "reason": refused.reason, "message": refused.sentence}
    return {"json_format": {**said, "metadata": dict(metadata), "violations": []}}


def _number(value: int) -> Json:
    return {"default_value": value, "runtime_key": f"gateway.status_{value}"}


def _added(name: str, value: str) -> Json:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
