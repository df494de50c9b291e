"""The metadata that a phone's camera writes into a JPEG, invented, so that tests can prove that it is removed."""

import struct

# A tag has a number, a type (of these), a count of values, and the values, in place if they fit four bytes.
_ASCII, _SHORT, _LONG, _RATIONAL = 2, 3, 4, 5
_MAKE, _ORIENTATION, _DATE_TIME, _GPS = 0x010F, 0x0112, 0x0132, 0x8825
_LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = 1, 2, 3, 4

MAKE = b"Unora Pinhole"
# Point Nemo, the place farthest from any land: degrees, minutes, seconds.
LATITUDE, LONGITUDE = (48, 52, 36), (123, 23, 36)

Tag = tuple[int, int, int, bytes]


def with_exif(jpeg: bytes, orientation: int) -> bytes:
    """`jpeg` with an APP1 segment after its first two bytes: maker, time, GPS position, and how it is to be turned."""
    content = b"Exif\0\0" + _tiff(orientation)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def _tiff(orientation: int) -> bytes:
    header = struct.pack("<2sHI", b"II", 42, 8)

    def main(gps_at: int) -> bytes:
        return _directory(
            len(header),
            [
                _text(_MAKE, MAKE),
                (_ORIENTATION, _SHORT, 1, struct.pack("<H", orientation)),
                _text(_DATE_TIME, b"2026:01:01 12:00:00"),
                (_GPS, _LONG, 1, struct.pack("<I", gps_at)),
            ],
        )

    gps_at = len(header) + len(main(0))
    gps = _directory(
        gps_at,
        [
            _text(_LATITUDE_REF, b"S"),
            (_LATITUDE, _RATIONAL, 3, _degrees(LATITUDE)),
            _text(_LONGITUDE_REF, b"W"),
            (_LONGITUDE, _RATIONAL, 3, _degrees(LONGITUDE)),
        ],
    )
    return header + main(gps_at) + gps


def _text(tag: int, text: bytes) -> Tag:
    return tag, _ASCII, len(text) + 1, text + b"\0"


def _degrees(parts: tuple[int, int, int]) -> bytes:
    return b"".join(struct.pack("<II", part, 1) for part in parts)


def _directory(at: int, tags: list[Tag]) -> bytes:
    """One TIFF directory that begins `at` bytes into the file, followed by those values that do not fit into it."""
    entries, behind = b"", b""
    values_at = at + 2 + 12 * len(tags) + 4
    for tag, kind, count, value in tags:
        if len(value) > 4:
            place = struct.pack("<I", values_at + len(behind))
            behind += value + b"\0" * (len(value) % 2)
        else:
            place = value.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, count) + place
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", 0) + behind
