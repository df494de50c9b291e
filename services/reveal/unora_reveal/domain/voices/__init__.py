"""RE-07: what templates are made of. Each of the reveals 1, 2 and 4 is told in twelve voices.

A voice is a title and how a text begins. How it tells of two facts, and how it ends, is chosen apart from the voice, so
that two texts about the same facts are hardly ever the same. Every sentence says of a member only that they chose these
hobbies; what is said beyond that is about people in general, or an idea for the reader.
"""

from unora_reveal.domain.voices.kind import Kind, Voice
from unora_reveal.domain.voices.loves import LOVES
from unora_reveal.domain.voices.meeting import MEETING
from unora_reveal.domain.voices.time import TIME

__all__ = ["KINDS", "Kind", "Voice"]

KINDS = {1: LOVES, 2: TIME, 4: MEETING}
"""By the number of the reveal: what they love, how they spend their time, a way to meet."""
