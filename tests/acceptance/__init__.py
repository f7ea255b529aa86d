"""OpenStack's own test suites, run against a whole running cloud."""
