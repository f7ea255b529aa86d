"""From a request that is understood to bytes on devices and an event: one file per verb."""
