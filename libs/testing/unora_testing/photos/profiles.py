"""Colour profiles (ICC, version 2) made of numbers, so that tests need no vendor's file."""

import struct
from typing import Final

# Red, green and blue of a space as XYZ under D50, as its profile states them.
_DISPLAY_P3: Final = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
_WHITE: Final = (0.9642, 1.0, 0.8249)
_CURVE_POINTS: Final = 1024


def display_p3() -> bytes:
    """Display P3, in which phones take pictures: wider than sRGB, with sRGB's curve."""
    curve = b"curv" + bytes(4) + struct.pack(f">I{_CURVE_POINTS}H", _CURVE_POINTS, *_srgb_curve())
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 11) + b"Display P3\0" + bytes(79),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": _xyz(_WHITE),
        **{name: _xyz(colour) for name, colour in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _DISPLAY_P3, strict=True)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    table, content = struct.pack(">I", len(tags)), b""
    at = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">II", at + len(content), len(value))
        content += padded
    head = bytes(8) + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28)
    head += b"".join(_fixed(part) for part in _WHITE)
    body = head.ljust(128, b"\0") + table + content
    return struct.pack(">I", len(body)) + body[4:]


def _srgb_curve() -> list[int]:
    points = []
    for number in range(_CURVE_POINTS):
        value = number / (_CURVE_POINTS - 1)
        linear = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        points.append(round(linear * 65535))
    return points


def _xyz(colour: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(_fixed(part) for part in colour)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))
