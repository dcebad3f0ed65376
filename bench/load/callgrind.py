"""Reads callgrind's output files: what functions cost, alone and with what they call."""

import re
from collections import Counter
from pathlib import Path

NAME = re.compile(r"(c?)fn=\((\d+)\)(?: (.*))?")


class Profile:
    """All processes of one run together."""

    def __init__(self, folder):
        self.alone = Counter()  # function: instructions of its own
        self.calls = Counter()  # (caller, callee): how often
        self.under = Counter()  # (caller, callee): instructions of the callee and what it calls
        for file in Path(folder).glob("callgrind.*"):
            self._read(file)

    def _read(self, file):
        names, caller, callee, called = {}, None, None, False
        for line in file.read_text(errors="replace").splitlines():
            named = NAME.match(line)
            if named:
                inner, number, name = named.groups()
                name = names.setdefault(number, name)
                caller, callee = (caller, name) if inner else (name, None)
            elif line.startswith("calls="):
                self.calls[caller, callee] += int(line[6:].split()[0])
                called = True
            elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
                cost = int(line.split()[1])
                if called:
                    self.under[caller, callee] += cost
                else:
                    self.alone[caller] += cost
                called = False


def plugin_times(folder):
    """Instructions and readings of the clock that the time per plugin took, hooks not counted, in one run."""
    run = Profile(folder)
    own = sum(cost for name, cost in run.alone.items() if name and "Chain::call_watched" in name)
    parts = ("note_time", "clock_gettime", "Chain::tell_")

    def watched(table, what):
        return sum(cost for (caller, callee), cost in table.items()
                   if caller and callee and "Chain::call_watched" in caller and any(part in callee for part in what))
    return own + watched(run.under, parts), watched(run.calls, ("clock_gettime",))
