"""The dashboards, each in a file of its own."""

from typing import Final

from unora_tools.observe.boards import context, events, money, overview, product

ALL: Final = tuple(each.DASHBOARD for each in (overview, context, events, money, product))
