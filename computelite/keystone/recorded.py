"""Access records of identity: beside refusals and reads also logins. Never what was shown.

Pure: no clock, no IO.
"""

from __future__ import annotations

from computelite.api import recorded as api
from computelite.api.recorded import Decided
from computelite.api.request import Request
from computelite.identity.login.errors import LoginRefused, NotFromHere
from computelite.keystone.call import Call
from eventlog.errors import CloudError
from eventlog.records.record import Kind


class Attempt(api.Attempt):
    """What is known of a request to Keystone, which may be a login."""

    def decided(self, request: Request, error: CloudError | None) -> Decided | None:
        match error, self.call:
            case ((LoginRefused() | NotFromHere()), _):
                return Decided(Kind.LOGIN_REFUSED, "login", self.caller, claimed_by(error))
            case None, Call(issued=issued) if issued is not None:
                return Decided(Kind.LOGIN, ",".join(issued.methods), issued)
        return super().decided(request, error)


def claimed_by(error: CloudError | None) -> str:
    """Return whose login failed, where that is known: it is nobody's until it succeeds."""
    return error.user_id if isinstance(error, LoginRefused) else ""
