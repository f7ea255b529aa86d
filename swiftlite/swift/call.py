"""A call: one authenticated and authorised request on its way to the handler that answers it."""

from __future__ import annotations

import msgspec

from eventlog.clock import Clock, Ids
from eventlog.log import Actor
from eventlog.records.record import Records
from swiftlite.access import Action, Decision, decide
from swiftlite.auth import Principal, Sealer
from swiftlite.catalog.rows import Bucket
from swiftlite.errors import NoSuchBucket
from swiftlite.gateway.gateway import Gateway
from swiftlite.http.incoming import Incoming
from swiftlite.swift.errors import Denied
from swiftlite.swift.limits import Settings
from swiftlite.swift.recorded import refusal
from swiftlite.swift.request import Request

_AGENT_MAX = 256


class World(msgspec.Struct, frozen=True):
    """What all calls of one application share."""

    gateway: Gateway
    sealer: Sealer
    clock: Clock
    ids: Ids
    settings: Settings
    records: Records


class Call:
    """What a handler works with. Its principal was allowed this operation on this container.

    `project_id`, `container` and `name` are what the path means; `bucket` is the container's row.
    `is_owner`: the caller sees and changes what only owners may: ACLs, keys of signed links.
    """

    __slots__ = (
        "_bucket",
        "container",
        "gateway",
        "incoming",
        "is_owner",
        "name",
        "now_us",
        "principal",
        "project_id",
        "request",
        "trans_id",
        "world",
    )

    def __init__(
        self,
        world: World,
        request: Request,
        principal: Principal,
        incoming: Incoming,
        *,
        bucket: Bucket | None,
        is_owner: bool,
        trans_id: str,
    ) -> None:
        self.world = world
        self.gateway = world.gateway
        self.request = request
        self.principal = principal
        self.incoming = incoming
        self.project_id = request.project_id
        self.container = request.container
        self.name = request.name
        self.is_owner = is_owner
        self.trans_id = trans_id
        self.now_us = world.clock.now_us()
        self._bucket = bucket

    @property
    def bucket(self) -> Bucket:
        """The container that the request is about."""
        if self._bucket is None:
            raise NoSuchBucket(bucket=self.container)
        return self._bucket

    @property
    def bucket_or_none(self) -> Bucket | None:
        """The container that the request is about, None if there is none."""
        return self._bucket

    @property
    def now_s(self) -> int:
        """When the request came, in seconds since 1970."""
        return self.now_us // 1_000_000

    @property
    def settings(self) -> Settings:
        """How this listener speaks Swift."""
        return self.world.settings

    @property
    def actor(self) -> Actor:
        """On whose behalf events are appended."""
        agent = self.request.headers.get("user-agent", "")[:_AGENT_MAX]
        return Actor(
            id=self.principal.user_id or self.principal.kind,
            request_id=self.trans_id,
            source=self.request.source,
            agent=agent.encode("utf-8", "replace").decode(),
        )

    def check_elsewhere(self, action: Action, bucket: Bucket) -> None:
        """Return if the principal may do this with a container that an object points at.

        Raises:  Denied.
        """
        decision = decide(
            self.principal,
            action,
            bucket_name=bucket.name,
            bucket=bucket,
            account=bucket.project_id,
            method=self.request.method,
            referrer=self.request.headers.get("referer", ""),
            is_behind=True,
        )
        if not decision.allowed:
            raise denied(self.principal, decision)

    def check_account(self, action: Action, container: str) -> None:
        """Return if the principal may do this in the account, to a container that is not there.

        Raises:  Denied.
        """
        decision = decide(self.principal, action, bucket_name=container, account=self.project_id)
        if not decision.allowed:
            raise denied(self.principal, decision)

    async def reach(self, project_id: str, container: str, action: Action, key: str = "") -> Bucket:
        """Return another container, or this one, for something else than the request is named for.

        Raises:  Denied, NoSuchBucket.
        """
        try:
            bucket, _ = await reached(
                self.gateway,
                self.request,
                self.principal,
                action,
                project_id=project_id,
                container=container,
                key=key,
            )
        except Denied as error:
            self.note_refusal(error)
            raise
        if bucket is None:
            raise NoSuchBucket(bucket=container)
        return bucket

    def note_refusal(self, error: Denied) -> None:
        """Record a refusal at once: whoever asked may go on with the next of many."""
        error.is_recorded = True
        now_us = self.world.clock.now_us()
        self.world.records.add(
            refusal(error, self.request, self.principal, trans_id=self.trans_id, now_us=now_us)
        )


async def reached(
    gateway: Gateway,
    request: Request,
    principal: Principal,
    action: Action,
    *,
    project_id: str,
    container: str,
    key: str = "",
) -> tuple[Bucket | None, Decision]:
    """Return the container, None if there is none, and the decision that let the caller have it.

    Raises:  Denied; who may not do this learns nothing of what there is.
    """
    bucket = None
    if container and project_id:
        try:
            bucket = await gateway.container(project_id, container)
        except NoSuchBucket:
            bucket = None
    decision = decide(
        principal,
        action,
        bucket_name=container,
        bucket=bucket,
        account=project_id,
        key=key,
        method=request.method,
        referrer=request.headers.get("referer", ""),
    )
    if not decision.allowed:
        raise denied(
            principal,
            decision,
            action=action.value,
            account=project_id,
            container=container,
            key=key,
        )
    return bucket, decision


def denied(
    principal: Principal,
    decision: Decision,
    *,
    action: str = "",
    account: str = "",
    container: str = "",
    key: str = "",
) -> Denied:
    """Return the refusal that a decision makes, of what it was asked about."""
    return Denied(
        reason=decision.reason,
        rule=decision.rule,
        is_known=principal.kind == "user",
        action=action,
        on_account=account,
        on_container=container,
        on_key=key,
    )
