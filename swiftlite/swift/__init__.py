"""Swift v1: accounts, containers and objects over HTTP, as OpenStack's clients speak it."""
