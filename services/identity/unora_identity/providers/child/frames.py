"""What the service and a picture's process say to each other: frames with their length, in MessagePack.

The service checks all that it reads: a decoder that was taken over by a picture can only lie about that picture.
"""

import struct
from typing import Final

import msgspec

from unora_identity.providers.pictures import Picture

LENGTH: Final = struct.Struct(">Q")
REQUEST: Final = struct.Struct(">?Q")
MOST_ANSWER: Final = 16 * 2**20
"""The most bytes of an answer."""
GO: Final = b"g"
"""Said by the service when the process may take the memory that it needs."""


class Needs(msgspec.Struct, frozen=True, tag="needs"):
    """The picture may be decoded, if so many bytes of memory are free."""

    memory: int


class Found(msgspec.Struct, frozen=True, tag="found"):
    """The end of a successful inspection."""

    picture: Picture


class Unreadable(msgspec.Struct, frozen=True, tag="unreadable"):
    """Refused as PhotoUnreadable."""


class TooLarge(msgspec.Struct, frozen=True, tag="too_large"):
    """Refused as PhotoTooLarge."""

    most: dict[str, int]


class TooSmall(msgspec.Struct, frozen=True, tag="too_small"):
    """Refused as PhotoTooSmall."""

    least_side: int


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A mistake of ours: the traceback."""

    traceback: str


Answer = Needs | Found | Unreadable | TooLarge | TooSmall | Failed
_decoder: Final = msgspec.msgpack.Decoder(Answer)


def request_head(length: int, *, new: bool) -> bytes:
    """What is sent before a picture of `length` bytes. `new`: the picture must have the least size."""
    return REQUEST.pack(new, length)


def pack_answer(answer: Answer) -> bytes:
    """A frame."""
    content = msgspec.msgpack.encode(answer)
    return LENGTH.pack(len(content)) + content


def unpack_answer(content: bytes) -> Answer:
    """Raises msgspec.DecodeError."""
    answer: Answer = _decoder.decode(content)
    return answer
