"""The S3 protocol: a thin edge over the gateway."""
