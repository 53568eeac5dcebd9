"""How each scheduler is spoken to: scripts to send, answers to read. Pure: nothing here opens a connection or looks at a clock.

`seam` is what the engine knows; `fence` makes a remote host's output safe to read; `slurm` is the first scheduler; `sh` holds the shell
that runs at the far end, in files.
"""
