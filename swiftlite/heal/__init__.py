"""What keeps bytes alive: scrub finds, plan decides, repair acts, sweep forgets."""
