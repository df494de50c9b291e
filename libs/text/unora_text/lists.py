"""Lists of words, as they stand in the code or in files of `data`."""

from importlib.resources import files


def listed(words: str) -> frozenset[str]:
    """The words of a text, in no order."""
    return frozenset(words.split())


def in_order(words: str) -> list[str]:
    """The words of a text, as they stand."""
    return words.split()


def from_file(name: str) -> frozenset[str]:
    """The words of a file in `data`. Lines that begin with # are comments."""
    lines = (files("unora_text") / "data" / name).read_text("utf-8").splitlines()
    return listed(" ".join(line for line in lines if not line.startswith("#")))
