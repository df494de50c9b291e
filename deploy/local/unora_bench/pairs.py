"""Whether two kinds of calls can be told apart by how long they take, from pairs of calls made one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROUNDS: Final = 10_000
"""How often signs are drawn at random for a p-value."""
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Of two kinds of calls, `usual` and `hidden`, made in pairs; times in milliseconds."""

    name: str
    usual: Times
    hidden: Times

    @property
    def difference(self) -> float:
        """The median, over the pairs, of what the hidden one took longer."""
        return float(np.median(self.hidden - self.usual))

    @property
    def right_guesses(self) -> float:
        """How often who sees one call of each kind, and takes the longer one for the hidden one, is right: the
        statistic of Mann and Whitney as a share. 0.5 is a coin; less than that means that the hidden one is faster.
        """
        return longer_share(self.hidden, self.usual)

    @property
    def p_value(self) -> float:
        """How often chance alone would make the pairs differ as much."""
        return sign_test(self.hidden - self.usual)

    def row(self) -> str:
        """A line of a Markdown table."""
        found = (f"{np.median(each):.2f}" for each in (self.usual, self.hidden))
        shares = f"{self.difference * 1000:+.0f} | {self.right_guesses * 100:.1f} % | {self.p_value:.3f}"
        return f"| {self.name} | {len(self.usual)} | {' | '.join(found)} | {shares} |"


HEAD: Final = [
    "| what is compared | pairs | median ms, usual | median ms, hidden | µs longer, median | guessed right | p |",
    "|---|---|---|---|---|---|---|",
]


def longer_share(these: Times, those: Times) -> float:
    """In what share of all pairs of one of these and one of those this one is longer; a tie counts half."""
    ordered = np.sort(those)
    below = np.searchsorted(ordered, these, side="left")
    up_to = np.searchsorted(ordered, these, side="right")
    return float((below + up_to).sum() / (2 * len(these) * len(those)))


def sign_test(differences: Times, rounds: int = ROUNDS, seed: int = 0) -> float:
    """The two-sided p-value that pairs differ by chance alone: Wilcoxon's signed ranks, against signs drawn at random.

    Ranks keep a few very long calls, of a machine that did something else, from deciding it.
    """
    ranks = np.sign(differences) * ranked(np.abs(differences))
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (rounds, len(ranks)))
    drawn = np.abs(signs @ np.abs(ranks))
    return float((1 + np.count_nonzero(drawn >= abs(ranks.sum()))) / (rounds + 1))


def ranked(values: Times) -> Times:
    """The ranks from 1 on; equal values share the mean of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    mean: NDArray[Any] = last - (counts - 1) / 2
    return np.asarray(mean[inverse], dtype=np.float64)
