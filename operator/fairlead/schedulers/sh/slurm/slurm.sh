# How Slurm's own commands are called.
# Needs: nothing.
# Gives: UPTIME (for how many seconds the machine is up, or empty), slurm (SECONDS COMMAND...: calls one of Slurm's), uptime (looks at it).

# slurm SECONDS COMMAND...: in the place of this shell; ended after so many seconds (124, 137; busybox says 143). sbatch is not called so: it would pass TZ
# on to the job.
slurm() { exec_bare LC_ALL=C TZ=UTC SLURM_TIME_FORMAT=%s timeout -k 2 "$@"; }

# uptime: UPTIME is for how many seconds the machine is up; no clock that is set changes that. Empty where nobody says.
uptime() { UPTIME=; { read -r UPTIME _ </proc/uptime; } 2>/dev/null; UPTIME=${UPTIME%%.*}; }
