# Slurm's part in a sweep.
# Needs: MARK (the comment of our jobs up to the key), MOST_ROWS (of directories, in one answer), SQUEUE_SECONDS, slurm (SECONDS COMMAND...: calls one
#   of Slurm's).
# Gives: listed_jobs (says what has our mark, and at the end `listed` with 0 if that was all).

# listed_jobs: each state of each mark once, however many jobs a script has given it; a longer comment is no mark. More than an answer holds are not all.
listed_jobs() {
  listing=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE${US}marked$US%T$US%k" 2>&1)
  status=$?
  printf '%s\n' "$listing" | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" -v most="$MOST_ROWS" '
    $1 == fence && NF == 4 && index($4, mark) == 1 && length($4) <= length(mark) + 64 && !told[$3, $4]++ && ++rows <= most
    END { exit rows > most }' || status=1
  say listed "$status"
}
