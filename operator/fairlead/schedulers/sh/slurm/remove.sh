# Slurm's part in a sweep.
# Needs: KEYED (functions for awk: by_path and by_mark), MARK (the comment of our jobs up to the key), MOST_ROWS (of directories, in one answer), SQUEUE_SECONDS,
#   slurm (SECONDS COMMAND...: calls one of Slurm's).
# Gives: listed_jobs (says what has our mark, and at the end `listed` with 0 if that was all).

# listed_jobs: each state of each key once, however many jobs a script has given it. More than an answer holds are not all. Another installation's jobs have such
# paths, too: what has no comment of ours is ours if this tree has a directory of its key.
listed_jobs() {
  listing=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE$US%T$US%o$US%k" 2>&1)
  status=$?
  { unsure=$(exec 2>&3 && printf '%s\n' "$listing" | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" -v most="$MOST_ROWS" "$KEYED"'
    $1 != fence || NF < 4 { next }
    {
      key = by_path($3)
      sure = NF == 4 && by_mark($4) != "" && (key == "" || by_mark($4) == key)
      if (sure) key = by_mark($4)
      if (key == "" || length(key) > 64 || told[$2, key]++ || ++rows > most) next
      if (sure) print fence FS "marked" FS $2 FS mark key >"/dev/stderr"
      else print $2, key
    }
    END { exit rows > most }'); } 3>&1 || status=1
  while read -r state key; do
    [ ! "$key" ] || [ ! -d "runs/$key" ] || say marked "$state" "$MARK$key"
  done <<END
$unsure
END
  say listed "$status"
}
