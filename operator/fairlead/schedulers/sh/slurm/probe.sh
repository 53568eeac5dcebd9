# Slurm's part in a probe.
# Needs: ACCOUNTING (Auto, Required or None), INSTALLATION (its name), SACCT_SECONDS, SCONTROL_SECONDS, problem (KIND WORDS: tells why it cannot be
#   used), slurm (SECONDS COMMAND...: calls one of Slurm's).
# Gives: FOLDER (the tree's name in WORK_DIR), look_at_scheduler (says what it is, and whether it can be used).
# shellcheck disable=SC2034  # FOLDER is read by the script behind it

FOLDER=$INSTALLATION

# look_at_scheduler: `scontrol ping` of 20.11 exits 0 also when nothing answers: its words count.
look_at_scheduler() {
  command -v sbatch >/dev/null 2>&1 || problem no-scheduler "sbatch is not in PATH ($PATH): write its folder into spec.slurm.binPath"
  say version "$(words "$(slurm 10 scontrol --version 2>&1)")"
  said=$(slurm "$SCONTROL_SECONDS" scontrol ping 2>&1)
  case $said in *' is UP'*) ;; *) say problem scheduler-down "$(words "${said:-scontrol ping did not answer}")" ;; esac
  look_at_accounting
}

# look_at_accounting: without a database `sacct` says so.
look_at_accounting() {
  [ "$ACCOUNTING" = None ] && return
  said=$(slurm "$SACCT_SECONDS" sacct -X -n -P -S now -o JobID 2>&1)
  case $?:$said in
    0:*) say accounting available ;;
    *'storage is disabled'*) say accounting absent ;;
    *) say accounting down "$(words "$said")" ;;
  esac
}
