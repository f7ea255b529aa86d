"""What exists: buckets, object versions, uploads, rings and devices, as events and one view."""
