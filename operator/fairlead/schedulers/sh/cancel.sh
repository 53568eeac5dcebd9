# Revokes keys and cancels what the scheduler shows under them; safe to repeat from the start.
# Set before it: TREE, MARKER, MARK (the comment of our jobs up to the key), KEYS (lines `key phase why ids`), LISTING_NEEDED, *_SECONDS.
# Phases: revoke (no more than that), term (ask running jobs, end waiting ones), kill (end all), only (end these ids of the key, revoke nothing),
# orphan (leave alone what has been submitted, and let nothing follow).

HUNG=

# listing KIND FIELD: rows `kind id state text` of our user's jobs, the free text last, behind this exec's fence.
listing() { slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE$US$1$US%i$US%T$US$2" 2>&1; }

# marked: lines `key id state name` of the jobs that carry one of KEYS, by comment or by name, should a site rewrite one. A row with a separator in
# its name or comment is nobody's. The name is `-` where only the comment says so. What has ended is left out.
marked() {
  { printf '%s\n' "$KEYS"; echo ""; printf '%s\n' "$NAMES" "$COMMENTS"; } | awk -F "$US" -v fence="$FENCE" -v mark="$MARK" '
    $0 == "" { behind = 1; next }
    !behind { split($0, word, " "); wanted[word[1]] = 1; next }
    $1 != fence || NF != 5 || $3 !~ /^[0-9]+$/ { next }
    $4 ~ /^(BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|TIMEOUT|REVOKED)$/ { next }
    $2 == "name" { key = match($5, /-[0-9]+$/) && RSTART > 36 ? substr($5, RSTART - 36) : ""; name = $5 }
    $2 == "comment" { key = index($5, mark) == 1 ? substr($5, length(mark) + 1) : ""; name = "-" }
    key in wanted && !(($3, key) in told) { told[$3, key] = 1; print key, $3, $4, name }'
}

# end_ids KEY IDS [OPTIONS]: scancel goes by name as well where the name is ours: between listing and call an id may have become another's.
end_ids() {
  ids=$2; shift 2
  for id in $ids; do
    [ "$HUNG" ] && return 1
    name=$(printf '%s\n' "$JOBS" | awk -v id="$id" '$2 == id { sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); print; exit }')
    [ "$name" = - ] && name=
    said=$(slurm "$SCANCEL_SECONDS" scancel ${name:+"--name=$name"} "$@" "$id" 2>&1); status=$?
    hung "$status" && HUNG=1
    [ "$status" = 0 ] && DONE="$DONE $id" || TROUBLE=$(words "$said")
  done
}

# jobs_of KEY PATTERN [IDS]: the key's listed ids whose state matches; with IDS, those of them alone.
jobs_of() {
  printf '%s\n' "$JOBS" | awk -v key="$1" -v pattern="$2" -v only="${3:+ $3 }" '$1 == key && $3 ~ pattern && (only == "" || index(only, " " $2 " ")) { print $2 }'
}

# first_pass KEY PHASE WHY: the revocation, before anything is listed: what is submitted after it cannot start.
first_pass() {
  case $2 in
    only) ;;
    orphan) leave_alone "$1" ;;
    *) is_left_alone "$1" "$3" || { revoke "$1"; [ "$2" = revoke ] || tell_to_stop "$@"; } ;;
  esac
}

# tell_to_stop KEY PHASE WHY: `stop` keeps a requeue from starting and says why the Run was ended. The first word stands, and an end that was there
# before it counts: `late`. Where there is no room for a word, an empty file forbids the requeue. `over`: the wrapper that sees it ends its script.
tell_to_stop() {
  case $CLAIM:$3 in revoked:close | revoked:delete | :close | :delete) return ;; esac   # nothing has run or will, and nobody asks why
  word=
  [ -s "runs/$1/stop" ] && read -r word _ <"runs/$1/stop"
  if [ -z "$word" ]; then
    word=$3
    case $CLAIM in revoked | '') ;; *) ended "runs/$1" "${CLAIM%%.*}" && word=late ;; esac
  fi
  [ "$2" = kill ] && word="$word over"
  put "runs/$1" stop "$word" || true >>"runs/$1/stop"
}

# leave_alone KEY: what may have been submitted is marked as nobody's any more; what was not is revoked.
leave_alone() {
  CLAIM=$(readlink "runs/$1/claim")
  if [ -s "runs/$1/owner" ] && [ "$CLAIM" != revoked ]; then true >"runs/$1/orphaned"; else revoke "$1"; fi
}

# is_left_alone KEY WHY: nothing is done any more, for an object that is gone, to what was left alone: whoever saw it go may not have seen the mark.
is_left_alone() { [ "$2" = delete ] && [ -e "runs/$1/orphaned" ]; }

# second_pass KEY PHASE WHY [IDS]
second_pass() {
  key=$1 phase=$2 why=$3 DONE='' TROUBLE=''; shift 3
  CLAIM=$(readlink "runs/$key/claim")
  if is_left_alone "$key" "$why"; then
    say cancel "$key" orphaned "$CLAIM" '' ''
    return
  fi
  if [ "$phase" = orphan ] && [ "$CLAIM" != revoked ]; then
    say cancel "$key" unknown "$CLAIM" '' "the run directory cannot be written"
    return
  fi
  if [ "$phase" != revoke ] && [ "$phase" != orphan ] && [ "$LISTED" != 0 ]; then
    say cancel "$key" unknown "$CLAIM" '' "squeue did not answer: $(words "$NAMES$COMMENTS")"
    return
  fi
  # Most keys have no job any more: those cost no further process.
  case "$LINE_END$JOBS" in *"$LINE_END$key "*) ;; *) phase=$phase-none ;; esac
  case $phase in
    only) end_ids "$key" "$(jobs_of "$key" . "$*")" ;;
    kill) end_ids "$key" "$(jobs_of "$key" .)" ;;
    term)
      # To a waiting job a signal would be tried again for 95 s.
      end_ids "$key" "$(jobs_of "$key" '^RUNNING$')" -t RUNNING --full -s TERM
      end_ids "$key" "$(jobs_of "$key" '^(PENDING|REQUEUED|REQUEUE_FED|REQUEUE_HOLD|RESV_DEL_HOLD|SPECIAL_EXIT|EXPEDITING)$')" ;;
  esac
  [ "${phase%%-*}" = only ] || [ "$CLAIM" ] || { say cancel "$key" unknown '' "$DONE" "the claim can be neither made nor read"; return; }
  say cancel "$key" "done" "$CLAIM" "${DONE# }" "$TROUBLE"
}

begin
into_tree
while read -r key phase why _; do [ "$key" ] && first_pass "$key" "$phase" "$why"; done <<END
$KEYS
END
NAMES='' COMMENTS='' LISTED=0
if [ "$LISTING_NEEDED" ]; then
  NAMES=$(listing name %j) && COMMENTS=$(listing comment %k)
  LISTED=$?
fi
JOBS=$(marked)
LINE_END='
'
while read -r key phase why ids; do
  # shellcheck disable=SC2086  # ids are words
  [ "$key" ] && second_pass "$key" "$phase" "$why" $ids
done <<END
$KEYS
END
finish
