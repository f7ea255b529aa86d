"""Machines, and who may have them; and the composition root that joins the three packages."""
