"""Swift v1: accounts, containers and objects over the same store as S3."""
