"""Programs that run in a peer's own environment, not in this one: each asks its peer for one job and prints what is seen of it.

They import nothing of this repository. A line of theirs is `EVENT`, then an event as JSON: what (asked, id, end), at (epoch seconds), says,
good (with end: whether the peer calls it a success).
"""
