"""Buckets: what a protocol's edge can ask of them, and of the accounts that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eventlog.log import Actor
from swiftlite.catalog import accounts, buckets, listing, queries, walking
from swiftlite.catalog.rows import Account, Bucket, Usage
from swiftlite.gateway import quotas
from swiftlite.gateway.engine import Engine

_NONE: Mapping[str, str] = {}


class Buckets:
    """Buckets and accounts of one store; what holds of `Gateway` holds of it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._log = engine.log

    async def create_bucket(
        self, name: str, *, project_id: str, owner: str, region: str, actor: Actor
    ) -> Bucket:
        """Return a new bucket, its name claimed.

        Raises:  InvalidBucketName, BucketAlreadyExists, BucketAlreadyOwnedByYou, TooManyBuckets.
        """
        return await buckets.create_bucket(
            self._log,
            self._engine.ids,
            name,
            project_id=project_id,
            owner=owner,
            region=region,
            actor=actor,
        )

    async def create_container(
        self,
        name: str,
        *,
        project_id: str,
        owner: str,
        region: str,
        said: Mapping[str, str] = _NONE,
        actor: Actor,
    ) -> Bucket:
        """Return a new bucket of the project, of which `said` is said at once; no name is claimed.

        Raises:  InvalidBucketName, BucketAlreadyOwnedByYou, TooManyBuckets, TooManyNotes,
                 MetadataTooLarge.
        """
        return await buckets.create_bucket(
            self._log,
            self._engine.ids,
            name,
            project_id=project_id,
            owner=owner,
            region=region,
            claimed=False,
            said=said,
            actor=actor,
        )

    async def bucket(self, name: str, *, project_id: str) -> Bucket:
        """Return a bucket: the project's own of this name, or whose the name is.

        Raises:  NoSuchBucket.
        """
        return await queries.get_bucket(self._log, name, project_id)

    async def container(self, project_id: str, name: str) -> Bucket:
        """Return the bucket of this name that the project itself has.

        Raises:  NoSuchBucket.
        """
        return await queries.get_container(self._log, project_id, name)

    async def list_buckets(
        self, project_id: str, *, prefix: str = "", after: str = "", limit: int = 10_000
    ) -> listing.Page[Bucket]:
        """Return a page of the project's buckets, by name."""
        return await buckets.list_buckets(
            self._log, project_id, prefix=prefix, after=after, limit=limit
        )

    async def walk_buckets(
        self, project_id: str, window: walking.Window, *, limit: int
    ) -> list[tuple[str, tuple[Bucket, Usage] | None]]:
        """Return the project's buckets with what they hold, and common prefixes with None."""
        return await walking.walk_buckets(self._log, project_id, window, limit=limit)

    async def delete_bucket(self, bucket: Bucket, *, actor: Actor) -> None:
        """End a bucket that has no objects, versions or delete markers.

        Raises:  NoSuchBucket, BucketNotEmpty.
        """
        await buckets.delete_bucket(self._log, bucket, actor=actor)

    async def set_versioning(self, bucket: Bucket, mode: str, *, actor: Actor) -> Bucket:
        """Return the bucket with versioning "enabled" or "suspended".

        Raises:  NoSuchBucket, InvalidArgument.
        """
        return await buckets.set_versioning(self._log, bucket, mode, actor=actor)

    async def describe_bucket(
        self, bucket: Bucket, said: Mapping[str, str], removed: Sequence[str] = (), *, actor: Actor
    ) -> Bucket:
        """Return the bucket with what its owner says of it now; see `catalog.describing`.

        Raises:  NoSuchBucket, TooManyNotes, MetadataTooLarge.
        """
        return await buckets.describe_bucket(self._log, bucket, said, removed, actor=actor)

    async def usage(self, bucket: Bucket) -> Usage:
        """Return how many objects a bucket has, and the bytes of all versions that live in it."""
        return (await accounts.usages(self._log, [bucket]))[0]

    async def account(self, project_id: str) -> Account:
        """Return what a project says of its account."""
        return await accounts.get_account(self._log, project_id)

    async def account_usage(self, project_id: str) -> tuple[int, Usage]:
        """Return how many buckets a project has, and what they hold together."""
        return await accounts.account_usage(self._log, project_id)

    async def describe_account(
        self, project_id: str, said: Mapping[str, str], removed: Sequence[str] = (), *, actor: Actor
    ) -> Account:
        """Return the account with what its project says of it now.

        Raises:  TooManyNotes, MetadataTooLarge.
        """
        return await accounts.describe_account(self._log, project_id, said, removed, actor=actor)

    async def room_for(
        self, bucket: Bucket, size: int | None, *, count: int = 1, is_reseller: bool
    ) -> int | None:
        """See `quotas.room_for`: how many bytes may still be put into a bucket."""
        return await quotas.room_for(
            self._engine, bucket, size, count=count, is_reseller=is_reseller
        )
