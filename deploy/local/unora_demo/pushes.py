"""What the example notifier pushed to whom (ID-17)."""

from __future__ import annotations

from typing import Final

from unora_local.client import Unexpected

from unora_demo.notifications import MUTED_KIND
from unora_demo.notifier import KINDS, Notifier
from unora_demo.stage import Stage
from unora_demo.timeline import Note

NAMED: Final = 4
"""Members of a kind whose names are shown."""


async def seen(stage: Stage, note: Note) -> None:
    """ID-17: members of the story were told of each kind of thing, but not of what one of them has muted. Only a
    message that was muted is a fault: what the notifier did not do, or not in time, is reported.
    """
    notifier = stage.notifier
    if notifier is None:
        note.detail = "no notifier runs here"
        return
    if notifier.problem:
        note.detail = notifier.problem
        return
    await stage.clock.wait_until_idle()
    told = await _told(stage, notifier)
    if stage.one.id in told.get(MUTED_KIND, ()):
        raise Unexpected(f"{stage.one.person.name} muted what is told as {MUTED_KIND}, and was told")
    missing = [kind for kind in KINDS if kind not in told]
    if notifier.unread:
        note.detail = f"{notifier.unread}; see {notifier.process.log}"
    elif notifier.waiting:
        note.detail = f"it lags: {sum(notifier.waiting.values())} events wait; see {notifier.process.log}"
    elif late := [kind for kind in missing if kind in notifier.dropped()]:
        note.detail = f"it came too late for: {', '.join(late)}; see {notifier.process.log}"
    elif missing:
        ended = "" if notifier.process.running else "it has ended, and "
        note.detail = f"{ended}nobody was told: {', '.join(missing)}; see {notifier.process.log}"
    else:
        note.detail = f"{sum(map(len, told.values()))} messages of {len(told)} kinds, and none that was muted"


async def _told(stage: Stage, notifier: Notifier) -> dict[str, list[str]]:
    """What was told. While a kind is missing, its last events may still be in work."""
    while True:
        told = by_kind(stage, notifier)
        if not {*KINDS} - {*told} - {*notifier.dropped()} or not await notifier.has_time():
            return told


def by_kind(stage: Stage, notifier: Notifier) -> dict[str, list[str]]:
    """The ids of the members of this story who were told, by kind: on a stack that runs, others may be told, too."""
    own = {member.id for member in stage.members}
    told = {kind: [user for user in users if user in own] for kind, users in notifier.pushed().items()}
    return {kind: told[kind] for kind in KINDS if told.get(kind)}


def lines(stage: Stage) -> list[str]:
    """A line for each kind: how many messages, and to whom."""
    if stage.notifier is None or not (told := by_kind(stage, stage.notifier)):
        return []
    names = {member.id: member.person.name for member in stage.members}
    found = ["pushed by the notifier:"]
    for kind, users in told.items():
        who = list(dict.fromkeys(names[user] for user in users))
        more = f" and {len(who) - NAMED} more" if len(who) > NAMED else ""
        found.append(f"  {kind.ljust(14)} {len(users):3}  to {', '.join(who[:NAMED])}{more}")
    return [*found, ""]
