"""A call to Glance: what its handlers work on."""

from __future__ import annotations

from computelite.api import call as api
from computelite.api.call import Asked
from computelite.image.service import ImageService
from eventlog.clock import Ids
from eventlog.log import Log


class Call(api.Call):
    """A call as every service has it, and beside it the service, its log and its ids."""

    PREFIX = "/image/v2"

    def __init__(self, service: ImageService, asked: Asked) -> None:
        super().__init__(asked)
        self.service = service

    @property
    def log(self) -> Log:
        """The event log and its tables."""
        return self.service.log

    @property
    def ids(self) -> Ids:
        """Where new ids come from."""
        return self.service.ids

    @property
    def project_id(self) -> str:
        """The caller's project; "" for a token of the system."""
        return self.caller.project_id or ""
