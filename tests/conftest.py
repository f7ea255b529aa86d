"""What all tests share: Hypothesis without a deadline, for machines that others use too."""

from hypothesis import settings

settings.register_profile("cumulog", deadline=None)
settings.load_profile("cumulog")
