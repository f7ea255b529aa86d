"""Access records of S3: what is told of a request that only read, or was refused.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.errors import CloudError, Refused
from eventlog.records.record import Kind, Record
from swiftlite.access import Decision
from swiftlite.auth import ANONYMOUS, Principal
from swiftlite.s3.codes import code_of
from swiftlite.s3.errors import CallerRefused
from swiftlite.s3.operations import Target
from swiftlite.s3.request import Request

_PATH_MAX = 1024
_AGENT_MAX = 256


class Attempt:
    """What is known of a request by the time that it is answered: more, the further it came."""

    __slots__ = ("decision", "method", "principal", "request", "request_id", "source", "target")

    def __init__(self, request_id: str, method: str, source: str) -> None:
        self.request_id = request_id
        self.method = method
        self.source = source
        self.request: Request | None = None
        self.principal: Principal | None = None  # None: not authenticated
        self.target: Target | None = None
        self.decision: Decision | None = None

    def is_refused(self, error: CloudError) -> bool:
        """Whether the caller was refused, and not what they asked for."""
        if isinstance(error, CallerRefused):
            return True
        return self.request is not None and self.principal is None and isinstance(error, Refused)

    def refusal(self, error: CloudError, *, now_us: int, key: str = "") -> Record:
        """Return the record of a refusal; `key`: of the one entry of many that was refused."""
        code = code_of(error)
        rule, credential, bucket = code.name, "", ""
        if isinstance(error, CallerRefused):
            rule, credential, bucket = error.rule or code.name, error.key_id, error.on_bucket
            key = key or error.on_key
        return self._record(
            Kind.REFUSED,
            now_us=now_us,
            status=code.status,
            rule=rule,
            reason=str(error) if code.message is None else code.message,
            credential=credential,
            bucket=bucket,
            key=key,
        )

    def reading(self, status: int, *, now_us: int) -> Record:
        """Return the record of a request that was allowed and only read."""
        decision = self.decision
        return self._record(
            Kind.READ,
            now_us=now_us,
            status=status,
            rule=decision.rule if decision is not None else "",
            reason=decision.reason if decision is not None else "",
        )

    def _record(
        self,
        kind: Kind,
        *,
        now_us: int,
        status: int,
        rule: str,
        reason: str,
        credential: str = "",
        bucket: str = "",
        key: str = "",
    ) -> Record:
        who, target, request = self.principal or ANONYMOUS, self.target, self.request
        if target is not None and bucket in ("", target.bucket):
            bucket, key = target.bucket, key or target.key
        return Record(
            at_us=now_us,
            kind=kind,
            protocol="s3",
            action=self.method if target is None else target.operation.value,
            status=status,
            rule=rule,
            reason=reason,
            request_id=self.request_id,
            user=who.user_id,
            project=who.project_id,
            credential=credential or who.key_id,
            source=self.source,
            agent="" if request is None else request.headers.get("user-agent", "")[:_AGENT_MAX],
            bucket=bucket,
            key=key,
            # As it was sent, without the query, which may hold a signature.
            target="" if target is not None or request is None else request.path[:_PATH_MAX],
        )
