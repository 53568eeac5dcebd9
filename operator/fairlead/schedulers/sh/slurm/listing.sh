# How a job in Slurm's listing is known as ours.
# Needs: SQUEUE_SECONDS, slurm (SECONDS COMMAND...: calls one of Slurm's).
# Gives: KEYED (functions for awk: by_path and by_mark), RECORDS (for awk: calls its `job()` for each job that `listing` shows), listing (FIELDS: rows of all
#   jobs of our user).
# shellcheck disable=SC2016,SC2034  # its dollars are awk's own; what is set here is read by the scripts behind it

# A job's key is in the path of its command (`runs/KEY/wrapper.sh`), up to 22.05 with arguments behind it. A comment counts only where that path has none, as in jobs of
# earlier releases: it may be its user's own.
KEYED='
  function by_path(command) { command = command " "; return match(command, /^runs\/[0-9a-f-]+\/wrapper\.sh /) ? substr(command, 6, RLENGTH - 17) : "" }
  function by_mark(comment, key) {
    key = index(comment, mark) == 1 ? substr(comment, length(mark) + 1) : ""
    return length(key) <= 64 && key ~ /^[0-9a-f-]+$/ ? key : ""
  }'

# listing FIELDS: rows of all jobs of our user behind this exec's fence: FIELDS, the command, the name, the comment. The last two may hold anything, so the fence
# stands in front of each of them, too.
listing() { slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE$US$1$US%o$US$FENCE$US%j$US$FENCE$US%k" 2>&1; }

# RECORDS: `job()` is called for each, with FIELD (the fence, FIELDS, the command), `name` (whole, with its line ends) and `key`. It is in the path of its command
# (`placed`), or in a comment or a name where that path has none.
RECORDS=$KEYED'
  BEGIN { apart = FS fence FS }
  function one_more(  fields, parts) {
    if (text == "") return
    parts = split(text, PART, apart)
    fields = split(PART[1], FIELD, FS)
    key = by_path(FIELD[FIELDS + 2])
    placed = key != ""
    name = parts == 3 ? PART[2] : ""
    sub(/\n.*/, "", PART[3])
    if (!placed && fields == FIELDS + 2 && parts == 3) {
      key = by_mark(PART[3])
      if (key == "" && match(name, /-[0-9]+$/) && RSTART > 36) key = substr(name, RSTART - 36)
      if (key !~ /^[0-9a-f-]+$/) key = ""
    }
    if (fields >= FIELDS + 2) job()
    text = ""
  }
  index($0, fence FS) == 1 { one_more(); text = $0; open = split(text, PART, apart) < 3; next }
  open && text != "" && length(text) < 9999 { text = text "\n" $0; open = split(text, PART, apart) < 3 }
  END { one_more() }'
