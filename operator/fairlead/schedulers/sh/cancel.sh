# Revokes keys and cancels what the scheduler shows under them; safe to repeat from the start.
# Set before it: TREE, MARKER, MARK (the comment of our jobs up to the key), KEYS (lines `key phase why ids`); *_SECONDS.
# Phases: revoke (no more than that), term (ask running jobs, end waiting ones), kill (end all), only (end these ids of the key, revoke nothing),
# orphan (leave alone what has been submitted, and let nothing follow).

ENDED='^(BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|TIMEOUT|REVOKED)$'

# listing KIND FIELD: rows `kind id state text` of our user's jobs, the free text last, behind this exec's fence.
listing() { slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE$US$1$US%i$US%T$US$2" 2>&1; }

# marked: lines `key id state name` of the jobs that carry one of KEYS, by comment or by name, should a site rewrite one. A row with a separator in
# its name or comment is nobody's. The name is `-` where only the comment says so. What has ended is left out.
marked() {
  { printf '%s\n' "$KEYS"; echo ""; printf '%s\n' "$NAMES" "$COMMENTS"; } | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" -v ended="$ENDED" '
    $0 == "" { behind = 1; next }
    !behind { split($0, word, " "); wanted[word[1]] = 1; next }
    $1 != fence || NF != 5 || $3 !~ /^[0-9]+$/ || $4 ~ ended { next }
    $2 == "name" { key = match($5, /-[0-9]+$/) && RSTART > 36 ? substr($5, RSTART - 36) : ""; name = $5 }
    $2 == "comment" { key = index($5, mark) == 1 ? substr($5, length(mark) + 1) : ""; name = "-" }
    key in wanted && !(($3, key) in told) { told[$3, key] = 1; print key, $3, $4, name }'
}

# unmarked: such lines of jobs of which a site has rewritten name and comment both: ours by the log that sbatch was given, whose path holds the key.
unmarked() {
  live=$LINE_END$(printf '%s\n' "$NAMES" | awk -F "$US" -v fence="$FENCE" -v ended="$ENDED" \
    '$1 == fence && NF == 5 && $3 ~ /^[0-9]+$/ && $4 !~ ended { print $3, $4, $5 }')
  printf '%s' "$WORK" | while read -r key _; do
    case $LINE_END$JOBS in *"$LINE_END$key "*) continue ;; esac
    id=
    [ -s "runs/$key/id" ] && read -r id <"runs/$key/id"
    case $id:$live in :* | *[!0-9]*:*) continue ;; *"$LINE_END$id "*) ;; *) continue ;; esac
    case $(slurm "$SCONTROL_SECONDS" scontrol -o show job "$id" 2>/dev/null) in
      *" StdOut="*"/runs/$key/"*) printf '%s %s\n' "$key" "$(printf '%s' "$live" | awk -v id="$id" '$1 == id { print; exit }')" ;;
    esac
  done
}

# plan: lines `id how key name`, how is `term` or `end`, of the listed jobs that have to go. Those that wait come first: nodes that become free would
# start them.
plan() {
  { printf '%s' "$WORK"; echo ""; printf '%s\n' "$JOBS"; } | awk '
    !behind && $0 == "" { behind = 1; next }
    !behind { phase[$1] = $2; only = " "; for (i = 4; i <= NF; i++) only = only $i " "; ids[$1] = only; next }
    !($1 in phase) { next }
    phase[$1] == "kill" { how = "end" }
    phase[$1] == "only" { if (!index(ids[$1], " " $2 " ")) next; how = "end" }
    phase[$1] == "term" {
      if ($3 == "RUNNING") how = "term"   # to a waiting job a signal would be tried again for 95 s
      else if ($3 ~ /^(PENDING|REQUEUED|REQUEUE_FED|REQUEUE_HOLD|RESV_DEL_HOLD|SPECIAL_EXIT|EXPEDITING)$/) how = "end"
      else next
    }
    { key = $1; id = $2; state = $3; sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); line = id " " how " " key " " $0
      if (state == "RUNNING") later = later line "\n"; else print line }
    END { printf "%s", later }'
}

# end_job ID HOW KEY NAME: scancel goes by name as well where the name is ours: between listing and call an id may have become another's.
end_job() {
  [ "$HUNG" ] && return
  id=$1 how=$2 key=$3 name=$4
  [ "$name" = - ] && name=
  set --
  [ "$how" = term ] && set -- -t RUNNING --full -s TERM
  said=$(slurm "$SCANCEL_SECONDS" scancel ${name:+"--name=$name"} "$@" "$id" 2>&1); status=$?
  hung "$status" && HUNG=1
  if [ "$status" = 0 ]; then say ended "$key" "$id"; else say trouble "$key" "$(words "$said")"; fi
}

# first_pass KEY PHASE WHY [IDS]: the revocation, before anything is listed: what is submitted after it cannot start. What is done with it is answered;
# the rest goes to WORK.
first_pass() {
  CLAIM=
  if is_left_alone "$1" "$3"; then
    :
  elif [ "$2" = orphan ]; then
    leave_alone "$1"
  elif [ "$2" != only ]; then
    revoke "$1"
    [ "$2" = revoke ] || tell_to_stop "$@"
  fi
  if is_left_alone "$1" "$3"; then
    say cancel "$1" orphaned "$CLAIM"
  elif [ "$2" = only ]; then
    WORK="$WORK$*$LINE_END"
  elif [ -z "$CLAIM" ]; then
    say cancel "$1" unknown '' "the claim can be neither made nor read"
    [ "$2" = revoke ] || [ "$2" = orphan ] || WORK="$WORK$1 $2 $3$LINE_END"
  elif [ "$2" = revoke ] || { [ "$2" = orphan ] && [ "$CLAIM" = revoked ]; }; then
    say cancel "$1" "done" "$CLAIM"
  elif [ "$2" = orphan ]; then
    say cancel "$1" unknown "$CLAIM" "the run directory cannot be written"
  else
    WORK="$WORK$1 $2 $3$LINE_END" CLAIMS="$CLAIMS$1 $CLAIM$LINE_END"
  fi
}

# tell_to_stop KEY PHASE WHY: `stop` keeps a requeue from starting and says why the Run was ended. The first word stands, and an end that was there
# before it counts: `late`. A Run that may be requeued (it has kept its `env`) may have left its end and wait to start again: of that one the listing
# decides. Where there is no room for a word, an empty file forbids the requeue. `over`: the wrapper that sees it ends its script.
tell_to_stop() {
  case $CLAIM:$3 in revoked:close | revoked:delete | :close | :delete) return ;; esac   # nothing has run or will, and nobody asks why
  word=
  [ -s "runs/$1/stop" ] && read -r word _ <"runs/$1/stop"
  if [ -z "$word" ]; then
    word=$3
    case $CLAIM in revoked | '') ;; *) ended "runs/$1" "${CLAIM%%.*}" && if [ -e "runs/$1/env" ]; then ENDS="$ENDS$1$LINE_END"; else word=late; fi ;; esac
  fi
  [ "$2" = kill ] && word="$word over"
  put "runs/$1" stop "$word" || true >>"runs/$1/stop"
}

# ended_in_time: the ends that were there before `stop`, of Runs that no listing shows again.
ended_in_time() {
  printf '%s' "$ENDS" | while read -r key; do
    case $LINE_END$JOBS in *"$LINE_END$key "*) ;; *) put "runs/$key" stop late ;; esac
  done
}

# leave_alone KEY: what may have been submitted is marked as nobody's any more; what was not is revoked.
leave_alone() {
  CLAIM=$(readlink "runs/$1/claim")
  if [ -s "runs/$1/owner" ] && [ "$CLAIM" != revoked ]; then true >"runs/$1/orphaned"; else revoke "$1"; fi
}

# is_left_alone KEY WHY: nothing is done any more, for an object that is gone, to what was left alone: whoever saw it go may not have seen the mark.
is_left_alone() { [ "$2" = delete ] && [ -e "runs/$1/orphaned" ]; }

begin
into_tree
WORK='' CLAIMS='' ENDS='' HUNG='' LINE_END='
'
while read -r key phase why ids; do
  # shellcheck disable=SC2086  # ids are words
  [ "$key" ] && first_pass "$key" "$phase" "$why" $ids
done <<END
$KEYS
END
[ "$WORK" ] || finish
if NAMES=$(listing name %j) && COMMENTS=$(listing comment %k); then
  JOBS=$(marked)
  JOBS=$JOBS$LINE_END$(unmarked)
  ended_in_time
  while read -r id how key name; do [ "$id" ] && end_job "$id" "$how" "$key" "$name"; done <<END
$(plan)
END
  word="done" why=
else
  word=unknown why="squeue did not answer: $(words "$NAMES$COMMENTS")"
fi
while read -r key claim; do [ "$key" ] && say cancel "$key" "$word" "$claim" "$why"; done <<END
$CLAIMS
END
while read -r key phase _; do [ "$phase" = only ] && say cancel "$key" "$word" '' "$why"; done <<END
$WORK
END
finish
