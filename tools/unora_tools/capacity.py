"""The capacity plan of docs/scale.md: what so many members need, computed from what was measured.

`python -m unora_tools.capacity` prints its tables. What a call costs comes from docs/bench-baseline.json where it has
the figure (`CheckIn CPU`, in ms, and so on), otherwise from the constants here, which name their source. What a member
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
    """What a member leaves behind, from `make simulate`: docs/scale.md says which run."""

    hot: float = 400_000
    """Bytes in Postgres per member, without the audit log, when tables have their bounds."""
    grows: float = 120_000
    """Bytes per member and year of what stays for good, without the audit log."""
    audit: float = 1_070_000
    """Bytes per member and year of the audit log and its index."""
    wal: float = 16_500
    """Bytes per member and day."""
    events: float = 2.0
    """Per member and day."""
    event: float = 400
    """Bytes of an event in a stream, with its headers."""
    photos: float = 2_000_000
    """Bytes in the object store: three photos in three sizes."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars: approximate public list prices, on demand, of AWS in us-east-1, November 2026; no discounts."""

    core_hour: float = 0.0408
    """m7g: a vCPU with 4 GB."""
    database_core_hour: float = 0.0536
    """r7g: a vCPU with 8 GB, for a Postgres of one's own."""
    disk: float = 0.08
    """gp3, per GB and month."""
    objects: float = 0.023
    """S3 standard, per GB and month."""
    archive: float = 0.0125
    """S3 infrequent access, per GB and month: backups, WAL, and old partitions of the audit log."""
    between_zones: float = 0.02
    """Per GB from one zone to another, both ends."""
    out: float = 0.085
    """Per GB to the internet."""


def calls(assumed: Assumptions, measured: Mapping[str, float]) -> list[Call]:
    """The calls of a member's day."""
    streaks = 0.2
    """Members in a streak at any time, as `make simulate` comes to after some weeks."""
    opened = assumed.active * assumed.rotations
    return [
        Call("identity", opened, measured.get("RefreshSession CPU", 1.5), 0.8),
        Call("identity", assumed.active * 2, measured.get("GetAccount CPU", 0.8), 0.2),
        Call("discovery", assumed.refreshes, measured.get("RefreshBatch CPU", 9.0), 5.0),
        Call("discovery", assumed.active * 4, measured.get("GetScreen CPU", 1.2), 0.6),
        Call("matching", assumed.interests, measured.get("SendInterest CPU", 2.5), 1.5),
        Call("streak", streaks, measured.get("CheckIn CPU", 1.37), 1.11),
        Call("streak", assumed.active * 4, measured.get("GetDashboard CPU", 0.78), 0.15),
        Call("reveal", 0.02, measured.get("OpenReveal CPU", 2.5), 1.5),
        Call("billing", 0.005, measured.get("CreatePayment CPU", 4.0), 3.0),
        Call("safety", Storage().events, measured.get("audit event CPU", 0.29), 0.2),
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
    stream = stored.events * stored.event * members * 14 / 1e9
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
        "between zones": (wal + 2 * stream / 14) * 30 * prices.between_zones,
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
        ("NATS streams, 14 days, one copy, GB", [f"{each.stream:,.0f}" for each in plans]),
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


def measured_costs(baseline: Path = BASELINE) -> dict[str, float]:
    """What a call costs, in milliseconds, by its name, from the kept figures of `make bench`; empty without them."""
    if not baseline.exists():
        return {}
    content = json.loads(baseline.read_text())
    figures = content.get("figures", []) if isinstance(content, dict) else content
    return {
        each["name"]: float(each["value"])
        for each in figures
        if isinstance(each, dict) and each.get("unit") == "ms" and str(each.get("name", "")).endswith(" CPU")
    }


def main() -> int:
    """Prints the plan."""
    day = calls(ASSUMPTIONS, measured_costs())
    print(tables([plan(members, day, Storage(), Prices()) for members in SIZES]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
