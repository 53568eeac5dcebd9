#!/bin/sh
# One job as people script it: hand it in over ssh, then ask each few seconds whether the queue still lists it.
#   bare.sh SSH_CONFIG HOST SECONDS SCRIPT
# A lost connection is not taken for an end: the loop asks again.
set -u
config=$1 host=$2 seconds=$3 script=$4
remote() { ssh -F "$config" -o ConnectTimeout=10 "$host" "$@"; }
event() { printf 'EVENT {"what": "%s", "at": %s, "says": "%s", "good": %s}\n' "$1" "$(date +%s.%N)" "$2" "${3:-false}"; }

event asked ""
if ! id=$(remote sbatch --parsable --output=/dev/null <"$script"); then
  event end "sbatch failed"
  exit 1
fi
event id "$id"
while sleep "$seconds"; do
  if queue=$(remote squeue --noheader --jobs="$id" --format=%T 2>&1 </dev/null); then
    [ "$queue" ] || break
  else
    case $queue in *"Invalid job id"*) break ;; esac
  fi
done
event end "not in the queue any more" true
