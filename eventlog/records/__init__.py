"""Access records: the second log, of what changed nothing: reads, refusals, logins."""
