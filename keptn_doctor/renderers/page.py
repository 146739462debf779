"""A page of text with hanging indents: wrapped for a terminal, one sentence a line elsewhere.

Thin over rich, which measures cells and colours. It never cuts a word, so that a name, an address
or a command can be copied whole.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Literal

from rich.console import Console
from rich.text import Text

from keptn_doctor.renderers.symbols import Symbols

Detail = Literal["short", "normal", "verbose"]

UNWRAPPED = 0
_NARROWEST = 40
_ENDLESS = 1_000_000
_GLUE = "\u00a0"


def unbroken(phrase: str) -> str:
    """A phrase that no line is broken in, if it fits on one."""
    return phrase.replace(" ", _GLUE)


class Page:
    """Lines of one report; ``width`` 0 leaves every paragraph on one line."""

    def __init__(self, *, width: int, color: bool, symbols: Symbols, detail: Detail) -> None:
        self.symbols = symbols
        self.detail = detail
        self._width = max(width, _NARROWEST) if width else UNWRAPPED
        self._color = color
        self._out = io.StringIO()
        self._console = Console(
            file=self._out,
            width=self._width or _ENDLESS,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )

    def blank(self) -> None:
        """One empty line."""
        self._out.write("\n")

    def put(
        self, body: str | Text, *, label: str | Text = "", indent: int = 0, hang: int = 0
    ) -> None:
        """One paragraph; all of it stands ``indent + hang`` deep, ``label`` in front of it."""
        text = Text(body) if isinstance(body, str) else body
        front = Text(label) if isinstance(label, str) else label
        front = Text(" " * indent) + front
        short = indent + hang - front.cell_len
        front.append(" " * (max(short, 0) or (1 if label and not front.plain.endswith(" ") else 0)))
        for line in self._wrap(text, self._width - indent - hang):
            self._line(front + line)
            front = Text(" " * (indent + hang))

    def command(self, command: str, *, indent: int) -> None:
        """A command to paste: one line, whatever its length."""
        self._line(Text(" " * indent + "$ ") + Text(command, style="bold"))

    def text(self) -> str:
        """All that was put so far."""
        return self._out.getvalue().replace(_GLUE, " ")

    def _wrap(self, text: Text, room: int) -> list[Text]:
        if self._width == UNWRAPPED or text.cell_len <= room:
            return [text]
        lines: list[Text] = []
        for word in self._words(text, room):
            if lines and lines[-1].cell_len + 1 + word.cell_len <= room:
                lines[-1] = lines[-1] + Text(" ") + word
            else:
                lines.append(word)
        return lines

    def _words(self, text: Text, room: int) -> Iterator[Text]:
        for word in text.split(" "):
            yield from word.split(_GLUE) if word.cell_len > room else (word,)

    def _line(self, line: Text) -> None:
        line.rstrip()
        if self._color:
            self._console.print(line, soft_wrap=True)
        else:  # the same, without asking rich for styles that there are none of
            self._out.write(f"{line.plain}\n")
