"""What can be done to identity, decided under the log's head lock: one file for each resource."""
