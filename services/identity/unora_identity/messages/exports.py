"""Exports."""

from __future__ import annotations

from typing import Final

from unora.identity.v1 import (
    export_service_pb2,
)
from unora_common.messages import by_name, to_timestamp

from unora_identity.domain.exports import Export, ExportState

EXPORT_STATES: Final = by_name(export_service_pb2.ExportState)


def to_export(export: Export) -> export_service_pb2.Export:
    """An export as its member sees it."""
    return export_service_pb2.Export(
        export_id=str(export.id),
        state=EXPORT_STATES[export.state],
        percent=export.percent,
        requested_at=to_timestamp(export.requested_at),
        ready_at=to_timestamp(export.ready_at),
        kept_until=to_timestamp(export.kept_until) if export.state is ExportState.READY else None,
        size=export.size,
    )
