"""Operators' work on users: a way in for those who have none."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from computelite.config import DAY_S
from computelite.control.call import Arguments, Call
from computelite.credentials import ADMIN, replace_password
from computelite.errors import NoSuchUser, WrongUsage
from computelite.identity.commands.access_keys import draw_key
from computelite.identity.commands.founding import restore_first
from computelite.identity.commands.users import change_user
from computelite.identity.events.actors import DEFAULT_DOMAIN
from computelite.identity.keys import compared
from computelite.identity.passwords import PASSWORD_SIZE_MAX
from computelite.identity.queries import domain_named, get_domain, user_named
from computelite.identity.rows import Domain
from computelite.secret import Secret

# No control characters: a shell could not read them from credentials.env.
_TYPED = r"^[^\x00-\x1f\x7f-\x9f]*\Z"


class ResetPassword(Arguments, frozen=True, kw_only=True):
    """Whose password; None as the password: draw one."""

    user: Annotated[str, Meta(min_length=1, max_length=255)] = ADMIN
    domain: Annotated[str, Meta(min_length=1, max_length=255)] | None = None  # the default one
    password: (
        Annotated[str, Meta(min_length=1, max_length=PASSWORD_SIZE_MAX, pattern=_TYPED)] | None
    ) = None

    def __repr__(self) -> str:
        return f"ResetPassword({self.user!r}, password hidden)"


async def reset_password(call: Call, wanted: ResetPassword) -> dict[str, Any]:
    """Give a user a new password; a lock is open and a disabled user enabled from then on.

    Every token of the user is void. The answer shows a password that was drawn, this once. The
    first user, admin, is made again if they are gone, may again do all that they could at first,
    and their password is also written into credentials.env and clouds.yaml.
    Raises:  WrongUsage for a domain, NoSuchUser for another user that there is not.
    """
    cloud = call.cloud
    if wanted.domain is None:
        domain: Domain | None = await get_domain(cloud.log, DEFAULT_DOMAIN)
    else:
        domain = await domain_named(cloud.log, wanted.domain)
    if domain is None:
        raise WrongUsage(reason=f"there is no domain {wanted.domain}")
    is_first = domain.id == DEFAULT_DOMAIN and compared(wanted.user) == ADMIN
    if is_first:
        await restore_first(cloud.log, cloud.ids, cloud.keystore, name=ADMIN, actor=call.actor)
    user = await user_named(cloud.log, domain.id, wanted.user)
    if user is None:
        raise NoSuchUser(user=wanted.user)
    drawn = wanted.password is None
    password = draw_key(cloud.ids).secret if drawn else Secret(wanted.password or "")
    verifier = await cloud.doors.passwords.verifier(password)
    days = cloud.config.identity.password_days
    await change_user(
        cloud.log,
        cloud.keystore,
        user,
        {},
        enabled=True,
        verifier=verifier,
        expires_us=cloud.clock.now_us() + days * DAY_S * 1_000_000 if days else None,
        actor=call.actor,
    )
    if is_first:
        replace_password(cloud.folder, password)
    return {
        "user": user.name,
        "domain": domain.name,
        "was_enabled": user.enabled,
        "password": password.reveal() if drawn else None,
    }
