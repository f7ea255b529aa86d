"""What the features beyond the core refuse; codes.py says how each is spelled on the wire.

Pure: no clock, no IO.
"""

from __future__ import annotations

from eventlog.errors import Refused


class FeatureRefused(Refused):
    """{reason}"""

    reason: str


# -- manifests -----------------------------------------------------------------------------------


class NotAManifest(FeatureRefused):
    """{reason}"""


class BadManifest(FeatureRefused):
    """{reason}"""


class ManifestTooLarge(FeatureRefused):
    """{reason}"""


# -- archives ------------------------------------------------------------------------------------


class BadArchive(FeatureRefused):
    """Invalid Tar File: {reason}"""


# -- forms ---------------------------------------------------------------------------------------


class BadForm(FeatureRefused):
    """FormPost: {reason}"""


class FormUnauthorized(FeatureRefused):
    """FormPost: {reason}"""


# -- bulk deletes --------------------------------------------------------------------------------


class BadNameList(FeatureRefused):
    """{reason}"""


class TooManyNames(FeatureRefused):
    """Maximum Bulk Deletes: {limit} per request"""


# -- links ---------------------------------------------------------------------------------------


class BadLink(FeatureRefused):
    """{reason}"""


class BadTarget(FeatureRefused):
    """{reason}"""


class BadLinkEtag(FeatureRefused):
    """{reason}"""


class BadManifestHeader(FeatureRefused):
    """{reason}"""
