"""The capacity plan of docs/scale.md: what so many members need, computed from what was measured.

`python -m unora_tools.capacity` prints its tables. What a call costs comes from docs/bench-baseline.json (`CheckIn
processor time of streak`, in µs, and so on), otherwise from the constants here, which name their source. What a member
does in a day is what `make simulate` assumes.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from unora_common.config import STREAM_DAYS
from unora_simulate.assumptions import ASSUMPTIONS, Assumptions

BASELINE: Final = Path(__file__).resolve().parents[2] / "docs" / "bench-baseline.json"
SIZES: Final = (1_000_000, 10_000_000, 100_000_000)
DAY: Final = 86_400
PEAK: Final = 4.0
"""The busiest second of a day over its mean: evenings, and one time zone more than others."""
FILL: Final = 0.5
"""How full a core may be at the peak, so that one of two zones may be lost."""
HOURS: Final = 730
"""Of a month."""
POSTGRES: Final = "postgres"
CHECKED_IN, SENT, OPENED, PAID = 0.25, 0.09, 0.03, 0.005
"""Check-ins, interests, reveals and payments of a member and day, in the third month of `make simulate` with 10,000
members: most slots are full by then, so fewer interests are sent than members try.
"""
AUDIT: Final = "audit log"
"""How the bench calls the time in which safety writes one event."""


@dataclass(frozen=True, slots=True)
class Call:
    """What one call costs, with all that its events cause, in milliseconds of processor time."""

    context: str
    per_day: float
    """Per member and day."""
    service: float
    postgres: float


@dataclass(frozen=True, slots=True)
class Storage:
    """What a member leaves behind: `make simulate` with 10,000 members, the growth of its last 30 days, and WAL and
    events from day 335 on (docs/scale.md), unless the line says otherwise.
    """

    hot: float = 385_000
    """Bytes in Postgres per member, without the audit log, when tables have their bounds."""
    grows: float = 48_000
    """Bytes per member and year of what stays for good, without the audit log."""
    audit: float = 773_000
    """Bytes per member and year of the audit log and its index."""
    wal: float = 27_400
    """Bytes per member and day."""
    events: float = 1.43
    """Per member and day."""
    event: float = 400
    """Bytes of an event in a stream, with its headers: assumed."""
    photos: float = 2_000_000
    """Bytes in the object store, three photos in three sizes: assumed."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars: approximate public list prices, on demand, of AWS in us-east-1; no discounts. Read in November 2026
    in the pages named here, which are not of AWS.
    """

    core_hour: float = 0.0408
    """m7g, a vCPU with 4 GB, half of an m7g.large: June 2026,
    factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026.
    """
    database_core_hour: float = 0.0536
    """r7g, a vCPU with 8 GB, for a Postgres of one's own: from memory, no page was found."""
    disk: float = 0.08
    """gp3, per GB and month (saisci.com/aws/gp2-vs-gp3-cost-comparison-ebs-volumes, 2021)."""
    objects: float = 0.023
    """S3 standard, per GB and month, first 50 TB (costnimbus.com/article/s3-storage-classes-cost-guide, March 2026)."""
    archive: float = 0.0125
    """S3 infrequent access, per GB and month (the same page): backups, WAL, and old partitions of the audit log."""
    between_zones: float = 0.02
    """Per GB from one zone to another, both ends (leanopstech.com/blog/aws-data-transfer-pricing-2026, April 2026)."""
    out: float = 0.09
    """Per GB to the internet, the first 10 TB a month (the same page); more costs less."""


ASSUMED: Final = {
    # No bench calls it. It writes two rows and no event: a CheckIn without its events, by what they do.
    ("RefreshSession", "identity"): 1.1,
    ("RefreshSession", POSTGRES): 0.8,
}
"""Milliseconds of processor time where nothing was measured."""


def calls(assumed: Assumptions, measured: Mapping[tuple[str, str], float]) -> list[Call]:
    """The calls of a member's day. Raises KeyError if the cost of one is neither measured nor assumed."""
    opened = assumed.active * assumed.rotations
    costs = {**ASSUMED, **measured}

    def call(context: str, name: str, per_day: float) -> Call:
        return Call(context, per_day, costs[name, context], costs[name, POSTGRES])

    return [
        call("identity", "RefreshSession", opened),
        call("identity", "GetAccount", assumed.active * 2),
        call("discovery", "RefreshBatch", assumed.refreshes),
        call("discovery", "GetScreen", assumed.active * 4),
        call("matching", "SendInterest", SENT),
        call("streak", "CheckIn", CHECKED_IN),
        call("streak", "GetDashboard", assumed.active * 4),
        call("reveal", "OpenReveal", OPENED),
        call("billing", "CreatePayment", PAID),
        call("safety", AUDIT, Storage().events),
    ]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one number of members needs."""

    members: int
    replicas: dict[str, int]
    postgres: dict[str, int]
    """Cores of the primary, by context."""
    connections: int
    disk: float
    """GB of all primaries after a year."""
    audit: float
    """GB of that which are the audit log."""
    wal: float
    """GB a day."""
    stream: float
    """GB in NATS at any time, one copy."""
    events: float
    """Per second at the peak."""
    objects: float
    """GB of photos."""
    money: dict[str, float]
    """US dollars a month, by what for."""


def plan(members: int, day: list[Call], stored: Storage, prices: Prices) -> Plan:
    """Computes the plan. A replica is a process with one core; there are two of each at least."""
    a_second = members / DAY * PEAK
    replicas, postgres = {}, {}
    for context in dict.fromkeys(call.context for call in day):
        own = [call for call in day if call.context == context]
        replicas[context] = max(2, math.ceil(a_second * sum(c.per_day * c.service for c in own) / 1000 / FILL))
        postgres[context] = max(2, math.ceil(a_second * sum(c.per_day * c.postgres for c in own) / 1000 / FILL))
    audit = stored.audit * members / 1e9
    disk = (stored.hot + stored.grows) * members / 1e9 + audit
    wal = stored.wal * members / 1e9
    stream = stored.events * stored.event * members * STREAM_DAYS / 1e9
    objects = stored.photos * members / 1e9
    cores = sum(replicas.values())
    money = {
        "services": cores * prices.core_hour * HOURS,
        "Postgres, primary and standby": 2 * sum(postgres.values()) * prices.database_core_hour * HOURS,
        "disks of both": 2 * disk * 1.3 * prices.disk,
        "NATS, three nodes": 3
        * (max(2, math.ceil(members / 10_000_000)) * prices.core_hour * HOURS + stream * prices.disk),
        "backups and 14 days of WAL": (disk + wal * 14) * prices.archive,
        "photos": objects * prices.objects,
        "between zones": (wal + 2 * stream / STREAM_DAYS) * 30 * prices.between_zones,
        "to the internet": members * ASSUMPTIONS.refreshes * 30 * 12_000 / 1e9 * prices.out
        + members * 0.02 * 30 * 600_000 / 1e9 * prices.out,
    }
    connections = sum(min(count, 400) * 10 for count in replicas.values())
    return Plan(
        members, replicas, postgres, connections, disk, audit, wal, stream,
        a_second * stored.events, objects, money,
    )  # fmt: skip


def tables(plans: list[Plan]) -> str:
    """The plans as Markdown."""
    head = "| | " + " | ".join(f"{each.members:,}" for each in plans) + " |"
    rule = "|---|" + "---|" * len(plans)
    lines = [head, rule]
    for context in plans[0].replicas:
        cells = (f"{each.replicas[context]:,} / {each.postgres[context]:,}" for each in plans)
        lines.append(f"| {context}: replicas / Postgres cores | " + " | ".join(cells) + " |")
    rows = (
        ("connections without a pooler", [f"{each.connections:,}" for each in plans]),
        ("events a second at the peak", [f"{each.events:,.0f}" for each in plans]),
        ("disk of the primaries after a year, TB", [f"{each.disk / 1000:,.1f}" for each in plans]),
        ("of that the audit log and its index, TB", [f"{each.audit / 1000:,.1f}" for each in plans]),
        ("WAL a day, GB", [f"{each.wal:,.0f}" for each in plans]),
        (f"NATS streams, {STREAM_DAYS} days, one copy, GB", [f"{each.stream:,.0f}" for each in plans]),
        ("object store, TB", [f"{each.objects / 1000:,.0f}" for each in plans]),
    )
    lines += [f"| {name} | {' | '.join(cells)} |" for name, cells in rows]
    lines += ["", head.replace("| |", "| US dollars a month |", 1), rule]
    for name in plans[0].money:
        lines.append(f"| {name} | " + " | ".join(f"{each.money[name]:,.0f}" for each in plans) + " |")
    totals = [sum(each.money.values()) for each in plans]
    lines.append("| all | " + " | ".join(f"{total:,.0f}" for total in totals) + " |")
    each_pays = (f"{total / one.members:.4f}" for total, one in zip(totals, plans, strict=True))
    lines.append("| for each member | " + " | ".join(each_pays) + " |")
    return "\n".join(lines)


def measured_costs(baseline: Path = BASELINE) -> dict[tuple[str, str], float]:
    """Milliseconds of processor time by call and process, from the kept figures of `make bench`; empty without them.

    A call's figure for Postgres contains what the events of the call cause there. An event of the audit log takes at
    most the time between two: the service and Postgres cannot have used more than a core each.
    """
    if not baseline.exists():
        return {}
    costs = {}
    for figure in json.loads(baseline.read_text())["figures"]:
        name, value = figure["name"], float(figure["value"])
        call, is_cost, process = name.partition(" processor time of ")
        if is_cost and figure["unit"] == "µs":
            costs[call, process] = value / 1000
        elif name == AUDIT and figure["unit"] == "events/s":
            costs |= {(AUDIT, "safety"): 1000 / value, (AUDIT, POSTGRES): 1000 / value}
    return costs


def main() -> int:
    """Prints the plan."""
    day = calls(ASSUMPTIONS, measured_costs())
    print(tables([plan(members, day, Storage(), Prices()) for members in SIZES]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
