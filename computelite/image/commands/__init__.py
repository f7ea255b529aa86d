"""What can be done to images, each decided at the commit."""
