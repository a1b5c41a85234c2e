"""Signals that end Snakemake end its jobs too."""

import signal
import threading
from types import FrameType


def cancel_on_signals() -> None:
    """SIGTERM and a closed terminal end Snakemake as Ctrl-C does, and so its jobs.

    Snakemake sets its own handler after the executor was made; it would wait for the jobs.
    """

    def interrupt(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # once is enough; what follows takes its time
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not so under nohup
        signal.signal(signal.SIGHUP, interrupt)
