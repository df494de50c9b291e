"""What the benchmark of pictures measures of completions, by real uploads."""

from __future__ import annotations

from unora_bench.completions import AT_ONCE, HEAD, measure
from unora_common.config import CONTEXTS
from unora_local.client import Gateway
from unora_local.photos.portraits import portrait
from unora_local.sms_box import SmsBox
from unora_testing.world import World


async def test_each_picture_is_completed_alone_and_by_several_members_at_once(world: World) -> None:
    times = 2
    channels = {context: world.channel(context) for context in CONTEXTS}
    gateway = Gateway(channels | {"notifier": world.channel("identity", "notifier")})
    (found,) = await measure(gateway, SmsBox(world.sms), {"a portrait": portrait(0, 0)}, times)
    assert (len(found.alone), len(found.at_once)) == (times, times * AT_ONCE)
    assert all(spent > 0 for spent in found.alone + found.at_once)
    assert gateway.called.count("ProfileService.CompletePhotoUpload") == times * (1 + AT_ONCE)
    assert found.row().count("|") == HEAD[0].count("|")
