"""The supervisor: holds the ports and the data folder, forks workers and keeper, replaces the dead.

It opens neither the log nor a device and runs no thread and no loop, so that a fork at any time
gives the child a clean process whose code is shared with its siblings.

    preparing -> starting -> serving -> draining -> gone
                    |            ^ |
                    v            | v
                 exit 1       a dead child is forked again
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable

from computelite.serve.process import Child

# A child that lived this long is started again at once; one that did not waits longer each time.
_STEADY_S = 10.0
_DELAY_S_MIN, _DELAY_S_MAX = 0.1, 5.0
# What the keeper gets to end what it does, and a worker beyond its own deadline.
_GRACE_S = 10.0
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

Run = Callable[[Callable[[], None]], None]


class Role:
    """A place in the cloud that always has a living process: worker 1, or the keeper."""

    def __init__(self, name: str, run: Run, on_death: Callable[[], None] = lambda: None) -> None:
        self.name = name
        self.run = run
        self.on_death = on_death
        self.child: Child | None = None
        self.forked_at = 0.0
        self.due_at = 0.0  # when it is to be started again
        self.delay = 0.0


class Supervisor:
    """Runs the roles until it is told to stop."""

    def __init__(
        self,
        *,
        workers: list[Role],
        keeper: Role,
        on_ready: Callable[[], None],
        on_drain: Callable[[], None],
        drain_s: float,
    ) -> None:
        self._workers = workers
        self._keeper = keeper
        self._roles = [keeper, *workers]
        self._on_ready = on_ready
        self._on_drain = on_drain
        self._drain_s = drain_s
        self._selector = selectors.DefaultSelector()
        self._stops = 0
        self._announced = False

    def run(self) -> int:
        """Serve until SIGTERM, SIGINT or SIGHUP; return 0, or 1 if it could not start."""
        self._catch_signals()
        for role in self._roles:
            self._fork(role)
        while not self._stops:
            self._wait(self._until_due())
            for role in self._reap():
                if not self._announced:
                    say(f"{role.name} could not start")
                    self._stop(self._roles, signal.SIGKILL, 0)
                    return 1
                self._plan_restart(role)
            for role in self._roles:
                if role.child is None and time.monotonic() >= role.due_at and not self._stops:
                    self._fork(role)
            if not self._announced and all(r.child and r.child.ready for r in self._roles):
                self._announced = True
                self._on_ready()
        self._drain()
        return 0

    def _fork(self, role: Role) -> None:
        role.forked_at = time.monotonic()
        role.child = Child(role.name, role.run)
        self._selector.register(role.child.started, selectors.EVENT_READ, role)

    def _plan_restart(self, role: Role) -> None:
        lived = time.monotonic() - role.forked_at
        steady = lived >= _STEADY_S
        role.delay = 0.0 if steady else min(max(role.delay * 2, _DELAY_S_MIN), _DELAY_S_MAX)
        role.due_at = time.monotonic() + role.delay

    def _until_due(self) -> float | None:
        waiting = [role.due_at for role in self._roles if role.child is None]
        return max(0.0, min(waiting) - time.monotonic()) if waiting else None

    def _wait(self, timeout: float | None) -> None:
        for key, _ in self._selector.select(timeout):
            if isinstance(key.data, Role):
                assert key.data.child is not None
                key.data.child.heard()
                self._selector.unregister(key.fd)
            else:
                for number in os.read(key.fd, 64):
                    self._stops += number in _STOPPING

    def _reap(self) -> list[Role]:
        dead = []
        for role in self._roles:
            if role.child is None:
                continue
            pid, status = os.waitpid(role.child.pid, os.WNOHANG)
            if pid == 0:
                continue
            if role.child.started in self._selector.get_map():
                self._selector.unregister(role.child.started)
            role.child.forget()
            if not self._stops:
                code = os.waitstatus_to_exitcode(status)
                how = f"signal {-code}" if code < 0 else f"status {code}"
                say(f"{role.name} (process {pid}) ended: {how}")
            role.child = None
            role.on_death()
            dead.append(role)
        return dead

    def _drain(self) -> None:
        self._on_drain()
        self._stop(self._workers, signal.SIGTERM, self._drain_s + _GRACE_S)
        self._stop([self._keeper], signal.SIGTERM, _GRACE_S)

    def _stop(self, roles: list[Role], number: signal.Signals, patience_s: float) -> None:
        """Signal, wait, and kill what is left at the deadline or at the second request to stop."""
        for role in roles:
            if role.child is not None:
                role.child.kill(number)
        deadline = time.monotonic() + patience_s
        asked = self._stops
        while any(role.child for role in roles):
            left = deadline - time.monotonic()
            if left <= 0 or self._stops > asked:
                for role in roles:
                    if role.child is not None:
                        if number != signal.SIGKILL:
                            say(f"{role.name} did not end in time; killed")
                        role.child.kill(signal.SIGKILL)
                left, deadline = 1.0, time.monotonic() + 1.0
                asked = self._stops
            self._wait(left)
            self._reap()

    def _catch_signals(self) -> None:
        heard, woken = socket.socketpair()
        heard.setblocking(False)
        woken.setblocking(False)
        self._wakeup = (heard, woken)
        signal.set_wakeup_fd(woken.fileno())
        for number in (*_STOPPING, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._selector.register(heard, selectors.EVENT_READ, None)


def say(text: str) -> None:
    """Tell the operator, on stderr."""
    print(f"cumulog: {text}", file=sys.stderr, flush=True)
