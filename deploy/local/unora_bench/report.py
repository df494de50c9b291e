"""The report of a bench: a Markdown table, as docs/measurements.md keeps it."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence

from unora_bench.baseline import Known, change
from unora_bench.figures import NOISE_LIMIT, Figure, Verdict

TOLERANCE: float = 0.2
"""A share (or, without one, a value) that is worse than the baseline's by more than this part has regressed."""


def machine(cores: int, calls: int, concurrency: int) -> str:
    """What the figures were measured on."""
    return f"{cores} cores, Python {platform.python_version()}, {calls} calls a method, {concurrency} at once\n"


def table(figures: Sequence[Figure], known: Mapping[str, Known]) -> str:
    """All figures."""
    lines = [
        "| group | what | measured | limit | share | aim | noise | verdict | against the baseline |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(figure, known) for figure in figures]
    return "\n".join(lines)


def summary(figures: Sequence[Figure], known: Mapping[str, Known]) -> str:
    """What a reader must not overlook: aims that were missed, what became worse, and what noise forbids to judge."""
    lines = [f"missed: {_name(each)}" for each in figures if each.verdict is Verdict.MISSED]
    lines += [
        f"regressed by {by:.0%}: {_name(each)}" for each in figures if (by := regression(each, known)) is not None
    ]
    noisy = [each for each in figures if each.noise > NOISE_LIMIT]
    if noisy:
        lines.append(
            f"{len(noisy)} of {len(figures)} figures are not judged: the machine did other work beside them"
            f" (noise above {NOISE_LIMIT:.0%}). Measure again when nothing else runs."
        )
    return "\n" + ("\n".join(lines) if lines else "All aims are met, and nothing has become worse.")


def regression(figure: Figure, known: Mapping[str, Known]) -> float | None:
    """By which part the figure is worse than the baseline's; None if by 20 % or less, or beside too much noise."""
    by = change(figure, known)
    return -by if by is not None and by < -TOLERANCE and figure.noise <= NOISE_LIMIT else None


def number(value: float) -> str:
    """A value with three or more significant digits."""
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _row(figure: Figure, known: Mapping[str, Known]) -> str:
    by = change(figure, known)
    limit = f"{number(figure.limit)} ({figure.limit_name})" if figure.limit is not None else ""
    share = f"{figure.share:.2f}" if figure.share is not None else ""
    cells = [figure.group, figure.name, f"{number(figure.value)} {figure.unit}", limit, share, _aim(figure)]
    cells += [f"{figure.noise:.0%}", figure.verdict, f"{by:+.0%}" if by is not None else ""]
    return f"| {' | '.join(cells)} |"


def _aim(figure: Figure) -> str:
    word = "≥" if figure.is_rate else "≤"
    aims = [f"{word} {number(figure.aim)} {figure.unit}"] if figure.aim is not None else []
    aims += [f"share ≥ {figure.aim_share:.2f}"] if figure.aim_share is not None else []
    return ", ".join(aims)


def _name(figure: Figure) -> str:
    share = f", {figure.share:.2f} of the limit" if figure.share is not None else ""
    return f"{figure.group}: {figure.name}: {number(figure.value)} {figure.unit}{share} (aim {_aim(figure) or 'none'})"
