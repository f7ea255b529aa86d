"""What disk images claim to be, read by a parser of ours before any tool touches them."""
