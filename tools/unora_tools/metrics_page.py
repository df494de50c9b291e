"""docs/metrics.md: every metric, from its declaration."""

from collections.abc import Iterable
from typing import Any, Final

from unora_common.common_metrics import COMMON_METRICS
from unora_common.config import CONTEXTS
from unora_common.declarations import load_service
from unora_common.metrics import Metric

from unora_tools.markdown import cell, table

HEAD: Final = """# Metrics

Written by `make reference` from the declarations in the code.

Each process serves its metrics for Prometheus at `/metrics` on the port of `UNORA_METRICS_LISTEN`. They carry no label
for the context or the role of the process: whoever scrapes adds these to the target, `context` and `role`. No label
holds anything of a member.

- A counter counts from the start of its process, so ask for `rate(…)` or `increase(…)`.
- A *counted* gauge is counted now and then: at least 15 seconds and at most five minutes apart, and the slower the
  count, the less often. What is in Postgres is counted by the process of a context whose relay leads (`--role worker`
  or `all`), and in turn while none leads; what is in NATS, by each. So ask for `max by (context, …) (…)`. While it
  cannot be counted, the series is absent.
- What has a known set of labels is there from the start, with 0: of `code`, what objectives count (`INTERNAL`,
  `UNAVAILABLE`, `DEADLINE_EXCEEDED`, `UNKNOWN`), for methods of members and public ones. Of reasons of refusals and
  other codes, a series begins when they first come.

The gateway has the metrics of Envoy ([gateway.md](gateway.md)).
"""


def page() -> str:
    """The page."""
    parts = [HEAD, _section("every context", COMMON_METRICS)]
    services = {context: load_service(context) for context in CONTEXTS}
    parts += [_section(context, service.metrics) for context, service in services.items() if service.metrics]
    return "\n".join(parts)


def _section(title: str, metrics: Iterable[Metric[Any]]) -> str:
    rows = (
        (f"`{each.name}`", each.shown_type, ", ".join(f"`{label}`" for label in each.labels), cell(each.meaning))
        for each in metrics
    )
    return f"## {title}\n\n{table(('metric', 'type', 'labels', 'what'), rows)}"
