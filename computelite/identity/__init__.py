"""Who may ask: users, projects and access keys, as events."""
