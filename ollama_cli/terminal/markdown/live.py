"""The rows at the end of a terminal that may still change, and what to write when they do."""

from __future__ import annotations

from collections.abc import Sequence

from ollama_cli.terminal.markdown.rows import Row, styled
from ollama_cli.terminal.markdown.setting import Setting


class LiveRows:
    """Writes rows, of which the last ones may be written anew as long as they are on the screen.

    Args:
        setting: How large the screen is.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._shown: tuple[Row, ...] = ()
        self._hides = False  # whether there are more live rows than the screen has room for
        self._at_start = True  # the cursor stands where the next row is to begin

    def draw(self, settled: Sequence[Row], live: Sequence[Row]) -> str:
        """What to write so that settled rows, and after them live ones, stand in the place of the live ones so far."""
        fitting = self._fitting(live)
        self._hides = len(fitting) < len(live)
        rows = (*settled, *fitting)
        same = 0
        while same < min(len(rows), len(self._shown)) and rows[same] == self._shown[same]:
            same += 1
        output = self._replace(rows, same)
        self._shown = tuple(fitting)
        return output

    def append(self, text: str, style: str, cells: int) -> str:
        """What to write to have a text at the end of the last live row."""
        if self._hides:
            return ""
        self._shown = (*self._shown[:-1], self._shown[-1].plus(text, style, cells))
        return styled((text, style))

    def leave(self) -> bool:
        """Leave what is live as it is, for it can no longer be found; whether there is any."""
        there, self._shown = bool(self._shown), ()
        return there

    def end(self) -> str:
        """What to write so that the next row begins a line; nothing is live then."""
        ending = "" if self._at_start else "\n"
        self._shown, self._at_start = (), True
        return ending

    def _replace(self, rows: tuple[Row, ...], same: int) -> str:
        """Write all rows but the first, which are shown already, in the place of what is shown after these."""
        old = self._shown[same:]
        if not old:
            return self._add(rows[same:])
        if len(old) == 1 and same < len(rows) and (more := rows[same].addition_to(old[0])) is not None:
            return more + self._add(rows[same + 1 :])
        if same == len(rows) > 0:  # rows go away: the cursor has to stand at the end of the last one
            same -= 1
        up = sum(row.height(self._setting.width) for row in self._shown[same:]) - 1
        self._at_start = True
        return "\r" + (f"\x1b[{up}A" if up > 0 else "") + "\x1b[J" + self._add(rows[same:])

    def _fitting(self, live: Sequence[Row]) -> Sequence[Row]:
        """The live rows that fit on the screen, for what has scrolled away could not be written anew; one at least."""
        lines = 0
        for number, row in enumerate(live):
            lines += row.height(self._setting.width)
            if lines > self._setting.lines and number:
                return live[:number]
        return live

    def _add(self, rows: Sequence[Row]) -> str:
        if not rows:
            return ""
        before = "" if self._at_start else "\n"
        self._at_start = False
        return before + "\n".join(row.ansi() for row in rows)
