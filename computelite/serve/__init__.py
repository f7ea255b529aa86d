"""The running cloud: a supervisor, its workers and its keeper."""
