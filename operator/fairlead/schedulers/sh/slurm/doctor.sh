# Slurm's part in a look at all that a Cluster needs.
# Needs: PARTITION (the Cluster's default, or empty), ACCOUNT (the same), ACCOUNTING (Auto, Required or None), SACCT_SECONDS, SBATCH_SECONDS (as all of
#   these: for one call), SCONTROL_SECONDS, slurm (SECONDS COMMAND...: calls one of Slurm's).
# Gives: look_at_scheduler (says what it is, and whether it can be used).

look_at_scheduler() {
  say step tools
  for tool in sbatch scontrol squeue scancel sacct; do
    say tool "$tool" "$(words "$(command -v "$tool" 2>/dev/null)")"
  done
  command -v scontrol >/dev/null 2>&1 && look_at_controller
  [ "$ACCOUNTING" != None ] && command -v sacct >/dev/null 2>&1 && look_at_accounting
}

# look_at_controller: without one that answers each of the others would wait for it, one after the other.
look_at_controller() {
  say step scontrol
  say version "$(words "$(slurm 10 scontrol --version 2>&1)")"
  said=$(slurm "$SCONTROL_SECONDS" scontrol ping 2>&1)
  case $said in *' is UP'*) say up ;; *) say down "$(words "$said")"; return ;; esac
  say step partitions
  said=$(slurm "$SCONTROL_SECONDS" sinfo -h -o '%P|%a|%l|%D' 2>&1) || { say partitions-unknown "$(words "$said")"; said=; }
  printf '%s\n' "$said" | head -n 200 | while IFS='|' read -r name state limit nodes; do
    [ "$nodes" ] && say partition "$(words "$name")" "$(words "$state")" "$(words "$limit")" "$(words "$nodes")"
  done
  say step nodes
  said=$(slurm "$SCONTROL_SECONDS" sinfo -h -N -o %n 2>/dev/null | sort -u | awk -v here="$(uname -n)" '
    $1 == here || index(here, $1 ".") == 1 || index($1, here ".") == 1 { own++ } END { print NR + 0, own + 0 }')
  # shellcheck disable=SC2086  # two numbers
  [ -z "$said" ] || say nodes $said
  command -v sbatch >/dev/null 2>&1 || return
  say step submit
  cd "$HOME" 2>/dev/null || cd /
  # shellcheck disable=SC2086  # --test-only: sbatch says what would become of a job, and makes none
  said=$(slurm "$SBATCH_SECONDS" sbatch --test-only ${PARTITION:+"--partition=$PARTITION"} ${ACCOUNT:+"--account=$ACCOUNT"} --wrap=: 2>&1)
  say submit "$?" "$(words "$said")"
}

# look_at_accounting: as a probe does, and what the books let the user have.
look_at_accounting() {
  say step sacct
  said=$(slurm "$SACCT_SECONDS" sacct -X -n -P -S now -o JobID 2>&1)
  case $?:$said in
    0:*) say accounting available ;;
    *'storage is disabled'*) say accounting absent; return ;;
    *) say accounting down "$(words "$said")"; return ;;
  esac
  command -v sacctmgr >/dev/null 2>&1 || return
  say step limits
  slurm "$SACCT_SECONDS" sacctmgr -n -P show assoc where user="$LOGIN" format=Cluster,Account,Partition,MaxJobs,MaxSubmit 2>/dev/null |
    head -n 200 | while IFS='|' read -r cluster account partition most submit; do
      say association "$(words "$cluster")" "$(words "$account")" "$(words "$partition")" "$(words "$most")" "$(words "$submit")"
    done
}
