"""HTTP connections, whatever is spoken over them: heads, bodies, deadlines, limits, replies."""
