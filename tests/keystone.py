"""A small client of Keystone's API, written from its documents, that prepares users for tests."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]

TIMEOUT_S = 30.0


class Refused(Exception):
    """The identity service answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text[:500]}")
        self.status = status


class Keystone:
    """Calls with one token. `url` ends in `/v3`."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self.token = token
        self.body: Json = {}

    @classmethod
    def login(
        cls,
        url: str,
        *,
        user: str,
        password: str,
        project: str | None = None,
        system: bool = False,
        domain: str = "Default",
    ) -> Keystone:
        """Return a client whose token is scoped to a project, to the system, or to nothing."""
        who: Json = {"name": user, "password": password, "domain": {"name": domain}}
        auth: Json = {"identity": {"methods": ["password"], "password": {"user": who}}}
        if project is not None:
            auth["scope"] = {"project": {"name": project, "domain": {"name": domain}}}
        if system:
            auth["scope"] = {"system": {"all": True}}
        client = cls(url)
        client._authenticate({"auth": auth})
        return client

    def _authenticate(self, asked: Json) -> None:
        response, data = self._send("POST", "/auth/tokens", asked)
        self.token = response.headers["X-Subject-Token"]
        self.body = data["token"]

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send one request below `/v3`; return the decoded body, empty where there is none.

        Raises:  Refused, at every status of 300 and more.
        """
        return self._send(method, path, body)[1]

    def _send(
        self, method: str, path: str, body: Json | None
    ) -> tuple[http.client.HTTPResponse, Json]:
        parts = urlsplit(self.url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
        connection = kind[parts.scheme](parts.netloc, timeout=TIMEOUT_S)
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.token:
            headers["X-Auth-Token"] = self.token
        sent = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, parts.path + path, sent, headers)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise Refused(response.status, text.decode(errors="replace"))
        return response, json.loads(text) if text else {}

    @property
    def user_id(self) -> str:
        return str(self.body["user"]["id"])

    @property
    def project_id(self) -> str:
        return str(self.body["project"]["id"])

    def endpoint(self, service: str, interface: str = "public") -> str:
        """Return a service's URL from the token's catalog."""
        for entry in self.body["catalog"]:
            if entry["type"] == service:
                for endpoint in entry["endpoints"]:
                    if endpoint["interface"] == interface:
                        return str(endpoint["url"])
        raise LookupError(f"no {interface} endpoint of {service} in the catalog")

    def ensure(self, plural: str, name: str, **fields: Any) -> str:
        """Return the id of what has this name (in `domain_id`); make it where it is absent."""
        query = f"?name={name}"
        if "domain_id" in fields:
            query += f"&domain_id={fields['domain_id']}"
        found = self.call("GET", f"/{plural}{query}")[plural]
        if found:
            return str(found[0]["id"])
        single = plural.removesuffix("s")
        made = self.call("POST", f"/{plural}", {single: {"name": name} | fields})
        return str(made[single]["id"])

    def assign(self, role: str, *, user: str, project: str) -> None:
        """Give a role, by its name, to a user on a project, both by id."""
        role_id = self.ensure("roles", role)
        self.call("PUT", f"/projects/{project}/users/{user}/roles/{role_id}")
