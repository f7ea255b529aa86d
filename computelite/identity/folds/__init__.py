"""How each event of identity changes the tables.

A fold never fails: an event about something whose making was erased changes nothing.

Pure: no clock, no IO.
"""
