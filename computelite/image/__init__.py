"""Images: what servers begin from; their state, and their bytes in storage."""
