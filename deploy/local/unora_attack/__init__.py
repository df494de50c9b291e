"""Plays attacks against a stack of its own, and measures what honest members notice of them."""

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported
