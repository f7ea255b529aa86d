"""Child processes: how they start, say that they are ready, and never outlive their parent."""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable

from computelite.errors import WrongUsage
from eventlog.errors import CloudError

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


class Child:
    """One forked process.

    `started` becomes readable when the child said that it is ready, or is gone.
    """

    def __init__(self, name: str, run: Callable[[Callable[[], None]], None]) -> None:
        """Fork. The child runs `run(say_ready)` and exits: 0, or 2 if it
        raised WrongUsage, or 1 if it raised anything else."""
        self.name = name
        self.ready = False
        self.started, said = os.pipe()
        os.set_blocking(self.started, False)
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.started)
            _be_child(parent, name, lambda: run(lambda: _say(said)))
        os.close(said)

    def heard(self) -> bool:
        """Read what the child said; return False when it is gone without a word."""
        if not self.ready:
            self.ready = os.read(self.started, 1) == b"R"
        return self.ready

    def kill(self, number: signal.Signals) -> None:
        """Send a signal to this child, which has not been waited for yet."""
        os.kill(self.pid, number)

    def forget(self) -> None:
        """Close the pipe of a child that is gone."""
        os.close(self.started)


def _say(pipe: int) -> None:
    os.write(pipe, b"R")
    os.close(pipe)


def _be_child(parent: int, name: str, run: Callable[[], None]) -> None:
    status = 1
    try:
        # When the parent dies, however it does, the kernel kills this process: a restart finds the
        # ports and the data folder free.
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        libc.prctl(_PR_SET_NAME, f"cumulog-{name}".encode())
        if os.getppid() == parent:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            # Ctrl-C and a closed terminal reach the whole group; the parent decides what follows.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            gc.enable()
            run()
            status = 0
    except CloudError as error:
        print(f"cumulog: {name}: {error}", file=sys.stderr)
        status = 2 if isinstance(error, WrongUsage) else 1
    except BaseException:  # the edge of a process: nothing may run past it into the parent's code
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)
