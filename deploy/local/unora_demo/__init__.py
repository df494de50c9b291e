"""The journey of sixty members, two of them to Day 15, played against a running stack as clients play it."""

import unora_local  # noqa: F401 - first: it sets what gRPC reads when it is first imported
