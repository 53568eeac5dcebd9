# Revokes keys and cancels what the scheduler shows under them; safe to repeat from the start.
# Phases: revoke (no more than that), term (ask running jobs, end waiting ones), kill (end all), only (end these ids of the key, revoke nothing),
# orphan (leave alone what has been submitted, and let nothing follow).
# Needs: KEYS (lines `key phase why leave ids`; leave: the proof that a Run was left alone, or by what it is known), ASKED (whom it asks, in words),
#   JOBS (lines `key id ...` of the keys in WORK that have not ended), MARKER (what its marker says), SAID (why that was not told), TREE (its path),
#   end_jobs (ends what WORK says of them, and tells of each).
# Gives: WORK (lines of what is still to be done: `key phase why ids`).

# shellcheck disable=SC2153  # LINE is set by first_line

# first_pass CLAIM KEY PHASE WHY LEAVE [IDS]: the revocation, before anything is listed: what is submitted after it cannot start. What is done with it is
# answered; the rest goes to WORK. CLAIM is what was seen to stand there, or `-`: a claim that is made is never changed but by a burial.
first_pass() {
  CLAIM='' SEEN=$1
  shift
  if is_left_alone "$@"; then
    :
  elif [ "$2" = orphan ]; then
    leave_alone "$1" "$4"
  elif [ "$2" != only ]; then
    if [ "$SEEN" = - ]; then revoke "$1"; else CLAIM=$SEEN; fi
    [ "$2" = revoke ] || tell_to_stop "$@"
  fi
  if is_left_alone "$@"; then
    say cancel "$1" orphaned "$CLAIM"
  elif [ "$2" = only ]; then
    only="$1 $2 $3"
    shift 4
    WORK="$WORK$only $*$LINE_END"
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
  first_line "runs/$1/stop" && word=${LINE%% *}
  if [ -z "$word" ]; then
    word=$3
    case $CLAIM in revoked | '') ;; *) ended "runs/$1" "${CLAIM%%.*}" && if [ -e "runs/$1/env" ]; then ENDS="$ENDS$1$LINE_END"; else word=late; fi ;; esac
  fi
  [ "$2" = kill ] && word="$word over"
  put_first "runs/$1/stop" "$word" || put "runs/$1" stop "$word" || true >>"runs/$1/stop"
}

# put_first FILE TEXT: one line into a file that is not there yet, by no process. Who reads it meanwhile sees an empty file, which says no more than that it is there; nobody
# has been told to end by then. Opened for both, so that a pipe that a script puts there meanwhile does not hold us up.
put_first() { [ ! -e "$1" ] && [ ! -h "$1" ] && printf '%s\n' "$2" 1<>"$1"; } 2>/dev/null

# ended_in_time: the ends that were there before `stop`, of Runs that no listing shows again.
ended_in_time() {
  while read -r key; do
    case $LINE_END$JOBS in *"$LINE_END${key:--} "*) ;; *) [ ! "$key" ] || put "runs/$key" stop late ;; esac
  done <<END
$ENDS
END
}

# leave_alone KEY PROOF: what may have been submitted is marked as nobody's any more; what was not is revoked.
leave_alone() {
  CLAIM=$(exec readlink "runs/$1/claim")
  if [ -s "runs/$1/owner" ] && [ "$CLAIM" != revoked ]; then put "runs/$1" orphaned "$2"; else revoke "$1"; fi
}

# is_left_alone KEY PHASE WHY LEAVE: nothing is done any more, for an object that is gone, to what was left alone: whoever saw it go may not have seen
# the mark. A script may have written one, too, but not the proof. Where that is not to be left, it is known by its checksum alone: scripts can read along.
is_left_alone() {
  [ "$3" = delete ] && first_line "runs/$1/orphaned" && seen=$LINE || return
  if [ "$2" = orphan ]; then [ "$seen" = "$4" ]; else is_leave "$seen" "$4"; fi
}

# with_claims: the lines of KEYS, each behind the claim that `ls` has shown, or `-`.
with_claims() {
  exec awk '
    !behind && $0 == "" { behind = 1; next }
    !behind { lines[++count] = $0; next }
    match($0, /runs\/[0-9a-f-]+\/claim -> /) { claim[substr($0, RSTART + 5, RLENGTH - 15)] = substr($0, RSTART + RLENGTH) }
    END {
      for (i = 1; i <= count; i++) {
        split(lines[i], word, " ")
        print (claim[word[1]] ~ /^[A-Za-z0-9._-]+$/ ? claim[word[1]] : "-"), lines[i]
      }
    }' <<END
$KEYS

$LINKS
END
}

begin
into_tree
WORK='' CLAIMS='' ENDS=''
set --
while read -r key _; do set -- "$@" "$key"; done <<END
$KEYS
END
if [ $# -gt 2 ] && plain_links "$@" && SEEN=$(with_claims); then :; else
  plain "$@"
  SEEN=
  while read -r line; do SEEN="$SEEN- $line$LINE_END"; done <<END
$KEYS
END
fi
while read -r claim key phase why leave ids; do
  # shellcheck disable=SC2086  # ids are words
  [ "$key" ] && first_pass "$claim" "$key" "$phase" "$why" "$leave" $ids
done <<END
$SEEN
END
[ "$WORK" ] || finish
if live_jobs; then
  ended_in_time
  end_jobs
  word="done" why=
else
  word=unknown why="$ASKED did not answer: $SAID"
fi
while read -r key claim; do [ "$key" ] && say cancel "$key" "$word" "$claim" "$why"; done <<END
$CLAIMS
END
while read -r key phase _; do [ "$phase" = only ] && say cancel "$key" "$word" '' "$why"; done <<END
$WORK
END
finish
