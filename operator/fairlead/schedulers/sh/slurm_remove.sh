# Slurm's part in a sweep. Set before it: MARK, SQUEUE_SECONDS.

listed_jobs() {
  listing=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE${US}marked$US%T$US%k" 2>&1)
  status=$?
  printf '%s\n' "$listing" | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" '$1 == fence && NF == 4 && index($4, mark) == 1'
  say listed "$status"
}
