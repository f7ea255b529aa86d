"""Accounts: what a project says of its own, and what its buckets amount to.

Every project has an account, whether or not it ever said anything of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eventlog.log import Actor, Log
from swiftlite.catalog import keys
from swiftlite.catalog.buckets import CLAIMS_MAX
from swiftlite.catalog.describing import NotesFit, described
from swiftlite.catalog.events import AccountDescribed, account_stream
from swiftlite.catalog.rows import Account, Bucket, Usage

NOTHING = Usage()


async def get_account(log: Log, project_id: str) -> Account:
    """Return what the project says of its account."""
    found: Account | None = await log.get("account", keys.account_key(project_id))
    return found or Account(project_id)


async def describe_account(
    log: Log, project_id: str, changed: Mapping[str, str], removed: Sequence[str], *, actor: Actor
) -> Account:
    """Say something of an account; nothing happens where all of it was said before.

    Raises:  TooManyNotes, MetadataTooLarge.
    """
    before = await get_account(log, project_id)
    after = described(before, changed, removed)
    if after == before:
        return before
    event = AccountDescribed(project_id=project_id, set=dict(changed), removed=tuple(removed))
    fit = NotesFit("account", keys.account_key(project_id), Account(project_id), changed, removed)
    await log.append(account_stream(project_id), [event], actor=actor, guards=[fit])
    return await get_account(log, project_id)


async def usages(log: Log, buckets: Sequence[Bucket]) -> list[Usage]:
    """Return what each of the buckets holds, in their order."""
    found = await log.get_many("usage", [bucket.id for bucket in buckets])
    return [usage or NOTHING for usage in found]


async def account_usage(log: Log, project_id: str) -> tuple[int, Usage]:
    """Return how many buckets a project has, and what they hold together."""
    stem = keys.bucket_of_key(project_id, "")
    claims = await log.scan("bucket_of", stem, keys.successor(stem), limit=CLAIMS_MAX)
    found = await log.get_many("usage", [claim.bucket_id for _, claim in claims])
    held = [usage for usage in found if usage is not None]
    total = Usage(sum(usage.objects for usage in held), sum(usage.bytes for usage in held))
    return len(claims), total
