"""What is agreed on the file of places between make_places.py, which makes it, and places.py, which reads it."""

from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("places.bin")
MAGIC: Final = b"UNORAPL1"
TEXTS: Final = ("records", "names", "countries")
"""The sections that hold bytes; all others hold numbers of 32 bits, in the order of the machine that made the file."""
TOP: Final = 20
"""The most places that one search finds."""
WIDE: Final = 1000
"""Of what more names begin with, the file holds the largest places: so a search never reads more names than this."""
