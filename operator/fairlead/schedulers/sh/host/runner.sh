#!/bin/sh
# Sees one Run through on a bare host: has keeper.sh run it with its slots and GPUs locked, and then hands out what has become free. It holds none of
# them itself. Started by `start`:
#   runner.sh TREE MARKER KEY ID BUILD SECONDS "SLOT NUMBERS" "GPU NUMBERS" FLOCK_OPTION [MARK]
# Needs: HOST, LOCKS, hand_out.
# Gives: BIN_PATH, FENCE, GPUS, KILL_SECONDS, MARKER (what its marker says), SLOTS, TREE (its path), WATCH_SECONDS.
# shellcheck disable=SC2034,SC2153  # FENCE, BIN_PATH and sizes are read by host.sh, which sets LOCKS

TREE=$1 MARKER=$2 key=$3 id=$4 build=$5 seconds=$6 slots=$7 gpus=$8 nofork=$9
FENCE=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') BIN_PATH=
# shellcheck source=/dev/null
. "./bin/$build/host.sh"        # of the tree in which it was started: nobody can have put another in its place
into_tree
[ -z "${10}" ] || mkdir "${10}" 2>/dev/null || exit   # whoever started it did not wait for us any more

locks=
for number in $slots; do locks="$locks slot-$number"; done
for number in $gpus; do locks="$locks gpu-$number"; done
set -- sh "bin/$build/keeper.sh" "$TREE" "$MARKER" "$key" "$id" "$build" "$seconds" "$locks" "$gpus"
# shellcheck disable=SC2086  # nofork may be nothing
for lock in $locks; do set -- flock -n $nofork "$LOCKS/$lock" "$@"; done
( umask "$USER_UMASK"; exec "$@" )
[ -h "runs/$key/claim" ] || exit               # it never began: whoever started it still holds the queue
first_line "$HOST/capacity" || exit
read -r SLOTS GPUS WATCH_SECONDS KILL_SECONDS <<END
$LINE
END
hand_out   # for the host's size as it is now: the Run may have taken days
