"""Facts: what happened, in order, for ever."""
