"""PR-07, PR-08: a file is recognised by its bytes and judged from its structure."""

import struct

from unora_identity.providers.formats import heic, jpeg, png, webp
from unora_identity.providers.formats.header import Header, NotAPicture
from unora_identity.providers.pictures import PhotoTooLarge, PhotoTooSmall, PhotoUnreadable, VisionPolicy


def judge(data: bytes, policy: VisionPolicy, *, new: bool = True) -> Header:
    """The header of a file that is safe to decode; takes a fraction of a second and little memory, whatever the bytes
    are. Raises PhotoUnreadable, PhotoTooLarge or, if it is `new`, PhotoTooSmall.
    """
    if len(data) > policy.most_bytes:
        raise PhotoTooLarge(most_bytes=policy.most_bytes)
    try:
        header = _judge(data, policy)
    except (NotAPicture, struct.error, IndexError):
        raise PhotoUnreadable from None
    if new and min(header.width, header.height) < policy.least_side:
        raise PhotoTooSmall(policy.least_side)
    return header


def _judge(data: bytes, policy: VisionPolicy) -> Header:
    if data.startswith(jpeg.START):
        return jpeg.judge(data, policy)
    if data.startswith(png.START):
        return png.judge(data, policy)
    if webp.recognised(data):
        return webp.judge(data, policy)
    if heic.recognised(data):
        return heic.judge(data, policy)
    raise NotAPicture
