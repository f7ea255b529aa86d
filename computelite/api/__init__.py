"""The API port: everything but S3 behind one listener, told apart by the first part of the path."""
