"""What all tests share: Hypothesis without a deadline, for machines that others use too."""

import pytest
from hypothesis import settings

settings.register_profile("cumulog", deadline=None)
settings.load_profile("cumulog")


def pytest_addoption(parser):
    parser.addoption(
        "--regenerate",
        action="store_true",
        help="write golden files anew, to be reviewed as a diff",
    )


@pytest.fixture
def regenerate(request):
    """Whether golden files are written instead of compared."""
    return request.config.getoption("--regenerate")
