"""New passwords on their way into the log, and /v3/users/{user_id}/password."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from computelite.api.call import no_content
from computelite.api.errors import BadRequest
from computelite.api.routing import Route
from computelite.identity.commands.users import set_password
from computelite.identity.errors import NotAllowed
from computelite.identity.login.shown import ByPassword, UserRef
from computelite.identity.passwords import PASSWORD_SIZE_MAX
from computelite.keystone.call import Call
from computelite.secret import Secret
from swiftlite.http.replies import Reply

DAY_US = 86_400_000_000

Password = Annotated[str, Meta(min_length=1, max_length=PASSWORD_SIZE_MAX)]


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True):
    """The password as it was and as it shall be."""

    original_password: Password
    password: Password

    def __repr__(self) -> str:
        return "PasswordChange(hidden)"


async def verifier_of(call: Call, password: str) -> bytes:
    """Return what is kept of a password.

    Raises:  BadRequest for one that is too long to be given at a login.
    """
    if len(password.encode()) > PASSWORD_SIZE_MAX:
        raise BadRequest(reason=f"A password has at most {PASSWORD_SIZE_MAX} bytes in UTF-8.")
    return await call.verifier(Secret(password))


def expiry_us(call: Call) -> int | None:
    """Return until when a password that is set now works; None: for ever."""
    days = call.service.password_days
    return call.clock.now_us() + days * DAY_US if days else None


async def change_own(call: Call) -> Reply:
    """Let a user replace their password, by showing it; one that has expired will do, too."""
    sent = call.read("user", PasswordChange)
    shown = ByPassword(UserRef(id=call.params["user_id"]), Secret(sent.original_password))
    user = await call.service.login.owner(shown, call.actor, even_expired=True)
    if user.options.get("lock_password") is True:
        raise NotAllowed(reason="The password of this user is locked: an admin can change it.")
    if sent.password == sent.original_password:
        raise BadRequest(reason="The new password is the old one.")
    await set_password(
        call.log,
        call.keystore,
        user.id,
        await verifier_of(call, sent.password),
        expires_us=expiry_us(call),
        actor=msgspec.structs.replace(call.actor, id=user.id),
    )
    return no_content()


# Nobody need have a token: who has an expired password can get none.
ROUTES = (Route("POST", "/v3/users/{user_id}/password", change_own, ""),)
