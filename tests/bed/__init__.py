"""The test bed: a real Kubernetes control plane, real Slurm and real sshd on one machine, without containers.

What starts, breaks and removes such parts belongs here; demo, tests and benchmarks all use it, and `python -m bed` lets a person use it.
What a test expects of Fairlead does not belong here, and nothing here imports Fairlead.

Everything that a bed starts carries its mark, so that it can be ended by process id also after its owner was killed: see `state`.
"""
