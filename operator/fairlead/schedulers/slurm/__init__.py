"""Slurm, as its own commands speak it: what is put on sbatch's command line, and how its tools' answers are read.

Here belongs every word of Slurm's that Fairlead knows, as a table with its source: job states, refusals, options, formats of squeue,
scontrol and sacct. All of it is pure: text in, frozen values out. What a state means for a Job is the engine's; how commands are run, in
which order and inside which fence, is the shell scripts' and `scheduler`'s.
"""
