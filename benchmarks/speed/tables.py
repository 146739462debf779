"""What a theme hands over: a table of text, printed to the terminal and written into the page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``name`` is that of its place in the page; every row has as many cells as the header."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        lines = [self.header, tuple("---" for _ in self.header), *self.rows]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def plain(self) -> str:
        """The same for a terminal, columns aligned."""
        lines = [self.header, *self.rows]
        widths = [max(len(line[n]) for line in lines) for n in range(len(self.header))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )


def ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def secs(seconds: float) -> str:
    return f"{seconds:.2f} s"


def mib(amount: float) -> str:
    return f"{amount:.0f} MiB"


def times(ratio: float) -> str:
    """A ratio, as "3.10x"."""
    return f"{ratio:.2f}x" if ratio < 10 else f"{ratio:,.0f}x"


def met(value: float, target: float, *, at_least: bool = False) -> str:
    """Whether a target was met, in the words of the tables."""
    return "met" if (value >= target if at_least else value <= target) else "**missed**"
