# How Slurm's own commands are called.
# Needs: nothing.
# Gives: slurm (SECONDS COMMAND...: calls one of Slurm's).

# slurm SECONDS COMMAND...: in the place of this shell; ended after so many seconds (124, 137; busybox says 143). sbatch is not called so: it would pass TZ
# on to the job.
slurm() { exec_bare LC_ALL=C TZ=UTC SLURM_TIME_FORMAT=%s timeout -k 2 "$@"; }
