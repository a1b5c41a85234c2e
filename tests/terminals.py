"""A terminal for programs that ask a person: what is typed stands there before they start."""

import os

import pytest

END = b"the end of all that is shown"


class Terminal:
    """A terminal at which a text was typed."""

    def __init__(self, typed: str):
        try:
            self._person, self._program = os.openpty()
        except OSError as error:
            reason = f"no terminal can be made here ({error}): mount devpts at /dev/pts"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
        self.name = os.ttyname(self._program)
        os.write(self._person, typed.encode())

    def shown(self) -> str:
        """All that was shown, with what was typed; the terminal is closed by that."""
        os.write(self._program, END)
        shown = b""
        while END not in shown:
            shown += os.read(self._person, 10_000)
        os.close(self._program)
        os.close(self._person)
        return shown.removesuffix(END).decode().replace("\r\n", "\n")
