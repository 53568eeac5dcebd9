"""The fault matrix: operations x faults, each combination run on real parts and judged from outside; and a random walk over both.

One table of faults (`table`), one of operations (`operations`). A cell is one of each, on a Slurm cluster and in a namespace of its own.
What a bed can do to its parts belongs to `bed`; here is when it is done, and what a user may expect afterwards. Nothing here looks into
the product: the judge reads the ledger that the Jobs themselves keep, the scheduler's records, the API server and the machine.
"""
