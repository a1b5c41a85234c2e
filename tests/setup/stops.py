"""Given to the set-up's Pythons as `sitecustomize`: stands still before a certain file is written.

`STOP_BEFORE` is a part of the path of that file, `STOP_SIGNS` a folder: the file `reached` appears
there, and the work goes on once somebody makes `go-on`.
"""

import os
import sys
import time

PLACE, SIGNS = os.environ.get("STOP_BEFORE"), os.environ.get("STOP_SIGNS", "")


def stop(event: str, arguments: tuple) -> None:
    """Audit hook: `open` tells path, mode and flags."""
    if event != "open" or PLACE not in str(arguments[0]):
        return
    if not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return
    os.close(os.open(os.path.join(SIGNS, "reached"), os.O_CREAT | os.O_WRONLY))
    while not os.path.exists(os.path.join(SIGNS, "go-on")):
        time.sleep(0.01)


if PLACE:
    sys.addaudithook(stop)
