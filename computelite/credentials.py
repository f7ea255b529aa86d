"""credentials.env and clouds.yaml: how people's tools get in. Both 0600, rewritten at each start.

credentials.env is also where an interrupted first start finds the secrets that it had drawn: it is
written before the events that make them valid.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

import msgspec

from computelite.errors import WrongUsage
from computelite.files import write_new
from computelite.folder import Folder
from computelite.identity.commands.access_keys import IssuedKey, draw_key
from computelite.secret import Secret
from eventlog.clock import Ids

REGION_S3 = "us-east-1"
REGION_OS = "RegionOne"
ADMIN = "admin"

_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{3,128}", re.ASCII)
_SECRET = re.compile(r"[!-~]{8,256}", re.ASCII)


class Chosen(msgspec.Struct, frozen=True):
    """What the environment chooses instead of chance; None: not chosen."""

    access_key: str | None = None
    secret_key: Secret | None = None
    admin_password: Secret | None = None

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Chosen:
        """Read CUMULOG_ROOT_ACCESS_KEY, CUMULOG_ROOT_SECRET_KEY and CUMULOG_ADMIN_PASSWORD.

        Raises:  WrongUsage; it never repeats a secret.
        """
        key = env.get("CUMULOG_ROOT_ACCESS_KEY")
        secret = env.get("CUMULOG_ROOT_SECRET_KEY")
        password = env.get("CUMULOG_ADMIN_PASSWORD")
        if key is not None and not _KEY_ID.fullmatch(key):
            raise WrongUsage(
                reason="CUMULOG_ROOT_ACCESS_KEY: 3 to 128 of letters, digits, dot, dash, underscore"
            )
        for name, value in (
            ("CUMULOG_ROOT_SECRET_KEY", secret),
            ("CUMULOG_ADMIN_PASSWORD", password),
        ):
            if value is not None and not _SECRET.fullmatch(value):
                raise WrongUsage(reason=f"{name}: 8 to 256 visible ASCII characters, no spaces")
        if (key is None) != (secret is None):
            raise WrongUsage(
                reason="CUMULOG_ROOT_ACCESS_KEY and CUMULOG_ROOT_SECRET_KEY go together"
            )
        return cls(
            access_key=key,
            secret_key=None if secret is None else Secret(secret),
            admin_password=None if password is None else Secret(password),
        )


class Root(msgspec.Struct, frozen=True):
    """The first user's ways in. The password is not kept where it could be read again: None."""

    key: IssuedKey
    password: Secret | None


def draw_root(chosen: Chosen, ids: Ids, earlier: Root | None) -> tuple[IssuedKey, Secret]:
    """Return the root key and the admin's password.

    They are what was chosen, else what an interrupted first start had drawn, else new.
    """
    key = earlier.key if earlier is not None else draw_key(ids)
    if chosen.access_key is not None and chosen.secret_key is not None:
        key = IssuedKey(chosen.access_key, chosen.secret_key)
    password = chosen.admin_password or (earlier.password if earlier is not None else None)
    return key, password or draw_key(ids).secret


def read_credentials(folder: Folder) -> Root | None:
    """Return what credentials.env says, or None where it is not there or says nothing."""
    found = _settings(folder)
    if not (found.get("AWS_ACCESS_KEY_ID") and found.get("AWS_SECRET_ACCESS_KEY")):
        return None
    key = IssuedKey(found["AWS_ACCESS_KEY_ID"], Secret(found["AWS_SECRET_ACCESS_KEY"]))
    password = found.get("OS_PASSWORD")
    return Root(key, Secret(password) if password else None)


def replace_password(folder: Folder, password: Secret) -> None:
    """Write the admin's new password into both files, where they are there."""
    settings = _settings(folder)
    if settings.get("OS_AUTH_URL"):
        _write(folder, {**settings, "OS_PASSWORD": password.reveal()})


def write_credentials(folder: Folder, root: Root, *, s3: str, api: str) -> None:
    """Write both files with the URLs of the listeners as they are now."""
    settings = {
        "AWS_ACCESS_KEY_ID": root.key.key_id,
        "AWS_SECRET_ACCESS_KEY": root.key.secret.reveal(),
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_REGION": REGION_S3,
        "OS_AUTH_URL": f"{api}/identity/v3",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": ADMIN,
        "OS_PASSWORD": root.password.reveal() if root.password else "",
        "OS_PROJECT_NAME": ADMIN,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": REGION_OS,
    }
    _write(folder, settings)


def _settings(folder: Folder) -> dict[str, str]:
    """Return what credentials.env sets.

    Raises:  WrongUsage for a file that somebody broke: it alone holds the admin's password.
    """
    path = folder.credentials
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise WrongUsage(reason=f"{path} is not UTF-8: mend or remove it") from None
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name, equals, value = line.partition("=")
        try:
            words = shlex.split(value) if equals and not line.startswith("#") else []
        except ValueError:
            raise WrongUsage(
                reason=f"{path}, line {number}: its quotes do not match; mend or remove it"
            ) from None
        if len(words) == 1:
            found[name] = words[0]
    return found


def _write(folder: Folder, settings: Mapping[str, str]) -> None:
    lines = ["# Rewritten at each start of the cloud. set -a; . credentials.env; set +a"]
    lines += [f"{name}={shlex.quote(value)}" for name, value in settings.items()]
    write_new(folder.credentials, "\n".join([*lines, ""]).encode(), mode=0o600)
    write_new(folder.clouds, _clouds_yaml(settings).encode(), mode=0o600)


def _quoted(text: str) -> str:
    """Return a YAML string; what is not plain ASCII is escaped, as YAML has it and not JSON."""
    plain = (
        char if " " <= char <= "~" and char not in '\\"' else f"\\U{ord(char):08x}" for char in text
    )
    return f'"{"".join(plain)}"'


def _clouds_yaml(settings: Mapping[str, str]) -> str:
    quoted = {name: _quoted(value) for name, value in settings.items()}
    return f"""# Rewritten at each start of the cloud. openstack --os-cloud cumulog ...
clouds:
  cumulog:
    auth:
      auth_url: {quoted["OS_AUTH_URL"]}
      username: {quoted["OS_USERNAME"]}
      password: {quoted["OS_PASSWORD"]}
      project_name: {quoted["OS_PROJECT_NAME"]}
      user_domain_id: "default"
      project_domain_id: "default"
    region_name: "{REGION_OS}"
    identity_api_version: 3
"""
