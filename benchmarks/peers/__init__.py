"""The same jobs through Fairlead and through what people would use instead, each beside a real Slurm of its own, of one kind.

Here belong the peers, the faults that all of them meet, and the page about it, docs/comparison.md. What became of a job is read at Slurm
and from what the job itself has written; a peer is asked only what it tells its user.
"""
