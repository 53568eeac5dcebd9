#!/bin/sh
# Runs one Run's wrapper on a bare host and holds its slots and GPUs, which it and all below it have open and locked. Ends it at its time limit, ends what
# its script has left behind, and writes how it came out. Started by runner.sh:
#   keeper.sh TREE MARKER KEY ID BUILD SECONDS "LOCKS" "GPU NUMBERS"
# Needs: AT, BOOT, BORN, HOST, LOCKS, born, came_out, end_members, is_number, own_group.
# Gives: BIN_PATH, FENCE, MARKER (what its marker says), TREE (its path).
# shellcheck disable=SC2034,SC2153  # FENCE, BIN_PATH and sizes are read by host.sh, which sets LOCKS

TREE=$1 MARKER=$2 key=$3 id=$4 build=$5 seconds=$6 locks=$7 gpus=$8
FENCE=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') BIN_PATH=
# shellcheck source=/dev/null
. "./bin/$build/host.sh"        # of the tree in which it was started: nobody can have put another in its place
into_tree
first_line "$HOST/capacity" || exit
read -r _ _ watch_seconds kill_seconds <<END
$LINE
END
is_number "$watch_seconds" && is_number "$kill_seconds" || exit
run=runs/$key

# say_who: writes down who we are.
say_who() {
  MINE="$id $BOOT $$ $BORN $since${group:+ $group}$locks"
  put "$run" process "$MINE" || exit
}

# The control group is written down before it is there: a keeper that is killed leaves none that nobody knows. That we may move a process there is tried.
born $$
since=$(date +%s) group=
own_group 2>/dev/null && group=$AT/fairlead-$key
say_who
if [ "$group" ] && ! { { [ -d "$group" ] || mkdir "$group"; } && ( echo 0 >"$group/cgroup.procs" ); } 2>/dev/null; then
  rmdir "$group" 2>/dev/null
  group=
  say_who
fi
for lock in $locks; do printf '%s\n' "$TREE/$run" >"$LOCKS/$lock"; done

visible=$(printf '%s' "${gpus% }" | tr ' ' ,)
( umask "$USER_UMASK"
  exec_bare CUDA_VISIBLE_DEVICES="$visible" sh "bin/$build/wrapper.sh" "$TREE" "$MARKER" "$key" "$build" --no-requeue "$watch_seconds" "$id" "$group" ) &
wrapper=$!
told=
trap 'told=1; kill -s TERM "$wrapper" 2>/dev/null' TERM HUP INT
trap 'end_members "$key"' USR1

# The time limit, kept here so that it holds while nobody is connected: TERM, and the end by force some seconds later.
timer=
if [ "$seconds" -gt 0 ]; then
  # shellcheck disable=SC2016  # its own arguments
  setsid sh -c 'sleep "$1" || exit; : >"$2"; kill -s TERM "$3"; sleep "$4"; kill -s USR1 "$3"' sh "$seconds" "$run/.timed-out" $$ "$kill_seconds" </dev/null >/dev/null 2>&1 &
  timer=$!
fi
while :; do
  wait "$wrapper"; code=$?
  kill -0 "$wrapper" 2>/dev/null || break
done
# Before what is left of the Run is ended, one by one: the timer has its slots open, too. (`kill -s KILL -1` is no process group to dash.)
if [ "$timer" ]; then
  { kill -KILL "-$timer" || kill -KILL "$timer"; wait "$timer"; } 2>/dev/null
fi
end_members "$key"
word=FAILED
[ "$code" = 0 ] && word=COMPLETED
[ "$code" = 0 ] && [ "$told" ] && [ ! -e "$run/stop" ] && word=ENDED   # told to end by nobody knows whom: a person, or the host that goes down
[ -e "$run/.timed-out" ] && word=TIMEOUT
rm -f "$run/.timed-out"
came_out "$key" "$id $word $code $(date +%s)"
