"""What runs: a loop for each site, its polls and batches, the breaker, the registry of objects. Effects go through `ports`.

Here belong timing, concurrency and order. What to do next is decided in `domain`; how a scheduler is spoken to is in `schedulers`.
"""
