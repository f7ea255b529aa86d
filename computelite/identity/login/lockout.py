"""Lockout: after so many wrong passwords in a row, none is looked at for a while.

Each wrong password of a user is an event, whichever worker was asked, so that the count is one for
all of them and outlives a restart. None is written for a user that there is not, or that is locked:
what a stranger can make the log hold is bounded by the number of users, attempts and locks.

Whoever guesses sees no difference: every refusal takes the same moment longer than an event does,
and a locked user's password takes as long to refuse as any.
"""

from __future__ import annotations

import asyncio
import logging

import msgspec

from computelite.identity.events.actors import UserLocked, user_stream
from computelite.identity.keys import id_key
from computelite.identity.login.events import LoginFailed, LoginForgiven
from computelite.identity.login.view import TABLE, Failures
from computelite.identity.rows import User
from eventlog.clock import Clock
from eventlog.errors import CloudError
from eventlog.event import Event
from eventlog.log import Actor, Log

log = logging.getLogger(__name__)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """How many wrong passwords in a row lock a user, and for how long; 0 attempts: never."""

    attempts: int = 10
    lock_s: int = 300


class Lockout:
    """Counts wrong passwords and locks users."""

    def __init__(self, events: Log, clock: Clock, rules: Rules) -> None:
        self._log = events
        self._clock = clock
        self._rules = rules
        self._writing: dict[str, asyncio.Task[None]] = {}

    def is_locked(self, user: User) -> bool:
        """Whether the user's passwords are not looked at now."""
        if not self._rules.attempts or _is_exempt(user):
            return False
        return user.locked_until_us > self._clock.now_us()

    def failed(self, user: User, actor: Actor) -> None:
        """Count a wrong password; it is counted soon after this returns."""
        if self._rules.attempts:
            before = self._writing.get(user.id)
            task = asyncio.create_task(self._write(user, actor, before))
            self._writing[user.id] = task
            task.add_done_callback(lambda done: self._written(user.id, done))

    async def settled(self, user_id: str) -> None:
        """Return when every wrong password that this process saw of the user is counted."""
        while (task := self._writing.get(user_id)) is not None:
            await asyncio.wait([task])

    async def forgive(self, user: User, actor: Actor) -> None:
        """Let the wrong passwords before a right one count no more."""
        if await self._log.get(TABLE, id_key(user.id)) is not None:
            event = LoginForgiven(user_id=user.id)
            await self._log.append(user_stream(user.id), [event], actor=actor)

    async def close(self) -> None:
        """Write what is still to be counted."""
        await asyncio.gather(*self._writing.values(), return_exceptions=True)

    async def _write(self, user: User, actor: Actor, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        now = await self._log.get("user", id_key(user.id))
        if not isinstance(now, User) or _is_exempt(now) or self.is_locked(now):
            return
        row = await self._log.get(TABLE, id_key(user.id))
        now_us = self._clock.now_us()
        count = 1
        if isinstance(row, Failures) and row.last_us >= now_us - self._rules.lock_s * 1_000_000:
            count += row.count
        events: list[Event] = [LoginFailed(user_id=user.id, window_s=self._rules.lock_s)]
        if count >= self._rules.attempts:
            until_us = now_us + self._rules.lock_s * 1_000_000
            events.append(UserLocked(user_id=user.id, until_us=until_us, failures=count))
        await self._log.append(user_stream(user.id), events, actor=actor)

    def _written(self, user_id: str, task: asyncio.Task[None]) -> None:
        if self._writing.get(user_id) is task:
            del self._writing[user_id]
        if task.cancelled() or (error := task.exception()) is None:
            return
        # Nobody waits for it, so that nobody else would tell of it.
        reason = None if isinstance(error, CloudError) else error
        log.error(
            "a wrong password of user %s was not counted: %s", user_id, error, exc_info=reason
        )


def _is_exempt(user: User) -> bool:
    return user.options.get("ignore_lockout_failure_attempts") is True
