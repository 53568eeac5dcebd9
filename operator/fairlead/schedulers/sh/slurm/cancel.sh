# Slurm's part in a cancellation.
# Needs: KEYS, MARK (the comment of our jobs up to the key), RECORDS (for awk: calls its `job()` for each job that `listing` shows), SCANCEL_SECONDS, SCONTROL_SECONDS,
#   WORK (lines of what is still to be done: `key phase why ids`), listing (FIELDS: rows of all jobs of our user), slurm (SECONDS COMMAND...: calls one of
#   Slurm's).
# Gives: ASKED (whom it asks, in words), JOBS (lines `key id ...` of the keys in WORK that have not ended), SAID (why that was not told), end_jobs (ends
#   what WORK says of them, and tells of each).
# shellcheck disable=SC2034,SC2153  # ASKED, SAID: read by the script behind it; WORK is set there

ASKED=squeue HUNG='' TROUBLED=''
AT_ONCE='1 2 3 4'               # calls of scancel: most of its time each waits for slurmctld
FEW=3                           # for so many jobs no shells of their own are worth while
ENDED='^(BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|TIMEOUT|REVOKED)$'

# marked: lines `key id state name` of the jobs that carry one of KEYS. The name is `-` where scancel could not be told it as it is: it has a line end, or a blank
# in front or behind. What has ended is left out. Jobs that carry no key at all come with `-` for it.
marked() {
  exec awk -F "$US" -v fence="$FENCE" -v mark="$MARK" -v FIELDS=2 -v ended="$ENDED" '
    $0 == "" && !behind { behind = 1; next }
    !behind { split($0, word, " "); wanted[word[1]] = 1; next }'"$RECORDS"'
    function job() {
      if (FIELD[2] !~ /^[0-9]+$/ || FIELD[3] ~ ended || (key != "" && !(key in wanted))) return
      if (name ~ /[\001-\037\177]/ || name ~ /^ / || name ~ / $/ || name == "") name = "-"
      print key == "" ? "-" : key, FIELD[2], FIELD[3], name
    }' <<END
$KEYS

$LISTED
END
}

# unmarked: adds to JOBS those of earlier releases of which a site has rewritten name and comment both: ours by the log that sbatch was given, whose path
# holds the key.
unmarked() {
  while read -r key _; do
    case $LINE_END$JOBS in *"$LINE_END$key "*) continue ;; esac
    id=
    [ "$key" ] && first_line "runs/$key/id" && id=$LINE
    case $id in '' | *[!0-9]*) continue ;; esac
    case $LINE_END$JOBS in *"$LINE_END- $id "*) bare=${JOBS#*- "$id "} ;; *) continue ;; esac
    case $(slurm "$SCONTROL_SECONDS" scontrol -o show job "$id" 2>/dev/null) in
      *" StdOut="*"/runs/$key/"*) JOBS="$JOBS$LINE_END$key $id ${bare%%"$LINE_END"*}" ;;
    esac
  done <<END
$WORK
END
}

# plan: lines `id how tell key name`, how is `term` or `end`, of the listed jobs that have to go. `tell`: 1 for 64 of each key, 0 for more: the answer has
# room for no more. Those that wait come first, and the others behind a line `-`: nodes that become free would start them.
plan() {
  exec awk '
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
    { key = $1; id = $2; state = $3; sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); line = id " " how " " (count[key]++ < 64) " " key " " $0
      if (state == "RUNNING") later = later line "\n"; else print line }
    END { if (later != "") printf "-\n%s", later }' <<END
$WORK
$JOBS
END
}

# is_still KEY ID NAME: NAME. Between the listing and scancel an id may have become another's, when slurmctld comes back from an older state. So a listing
# counts for three seconds; after that, scontrol has to show the key in the job once more. And scancel is told the name as well, where it can be: it looks by
# itself whether that is the id's. A job of an earlier release has the key in its name, which alone will do.
is_still() {
  case $3 in
    *"$1") return 0 ;;
    -) ;;
    *) uptime; [ "$UPTIME" ] && [ "$BEGAN" ] && [ $((UPTIME - BEGAN)) -lt 3 ] && return 0 ;;
  esac
  said=$(slurm "$SCONTROL_SECONDS" scontrol -o show job "$2" 2>&1); status=$?
  hung "$status" && HUNG=1
  case $status:$said in 0:*"$1"[!0-9]*) is_anothers "$1" || return 0 ;; esac
  [ "$status" != 0 ] || said="job $2 does not carry $1 any more"
  return 1
}

# is_anothers KEY: whether the job in `said` has another key in the path of its command: what else carries KEY there is its user's own name.
is_anothers() {
  rest=$said
  while :; do
    case $rest in *Command=runs/*) rest=${rest#*Command=runs/} ;; *) return 1 ;; esac
    case $rest in "$1/wrapper.sh"*) ;; *) return 0 ;; esac
  done
}

# end_job ID HOW TELL KEY NAME: one job.
end_job() {
  [ "$HUNG" ] && return
  id=$1 how=$2 tell=$3 key=$4 name=$5
  if is_still "$key" "$id" "$name"; then
    [ "$name" = - ] && name=
    set --
    [ "$how" = term ] && set -- -t RUNNING --full -s TERM
    said=$(slurm "$SCANCEL_SECONDS" scancel ${name:+"--name=$name"} "$@" "$id" 2>&1); status=$?
    hung "$status" && HUNG=1
    if [ "$status" = 0 ]; then
      [ "$tell" = 0 ] || say ended "$key" "$id"
      return
    fi
  fi
  case $TROUBLED in *" $key "*) ;; *) TROUBLED="$TROUBLED $key " && say trouble "$key" "$(words "$said")" ;; esac
}

# live_jobs, end_jobs: see the script behind this part.
live_jobs() {
  uptime
  BEGAN=$UPTIME
  if LISTED=$(listing "%i$US%T"); then
    JOBS=$(marked) || { SAID="awk does not work on this login node"; return 1; }
    case $LINE_END$JOBS in *"$LINE_END- "*) unmarked ;; esac
  else
    SAID=$(words "$LISTED")
    return 1
  fi
}
end_jobs() {
  some='' count=0
  while read -r line; do
    if [ "$line" = - ]; then end_some; some='' count=0; else some=$some$line$LINE_END count=$((count + 1)); fi
  done <<END
$(plan)
END
  end_some
}

# end_some: the jobs in `some`, several at once if they are many. One call that hangs in any keeps what comes behind from being called.
end_some() {
  [ -z "$HUNG" ] || return 0
  end_young
  [ -z "$HUNG" ] || return 0
  if [ "$count" -le "$FEW" ]; then end_each; return; fi
  shells=
  for each in $AT_ONCE; do { end_each "$each"; [ -z "$HUNG" ]; } & shells="$shells $!"; done
  for each in $shells; do wait "$each" || HUNG=1; done
}

# end_young: ends those of `some` that scancel can be told by id and name, as long as the listing is young, under one time-out and in one clean environment;
# and tells of them. What is left, or what scancel would not end, stays in `some`: that goes one by one.
end_young() {
  [ "$count" -gt 2 ] && [ "$BEGAN" ] || return 0
  set --
  while read -r id how tell key name; do
    case $id:$name in :* | *:-) ;; *) set -- "$@" "$id" "$how" "$name" ;; esac
  done <<END
$some
END
  gone=$(slurm "$SCANCEL_SECONDS" sh -c "$CALLS" sh "$FENCE$US" "$BEGAN" "$@" 2>/dev/null); status=$?
  hung "$status" && HUNG=1
  left=$some some='' count=0
  while read -r id how tell key name; do
    [ "$id" ] || continue
    case $LINE_END$gone$LINE_END in
      *"$LINE_END$FENCE$US$id$LINE_END"*) [ "$tell" = 0 ] || say ended "$key" "$id" ;;
      *)
        [ -z "$HUNG" ] || [ "$count" != 0 ] || say trouble "$key" "scancel did not answer in $SCANCEL_SECONDS s"
        some="$some$id $how $tell $key $name$LINE_END" count=$((count + 1)) ;;
    esac
  done <<END
$left
END
}

# CALLS: FENCE BEGAN and then ID HOW NAME of each job: a line behind the fence for each that has been told. A time-out that ends this shell alone, as busybox's does,
# ends what it has called, too.
# shellcheck disable=SC2016  # its own arguments
CALLS='
  fence=$1 began=$2 calls=
  shift 2
  trap "for call in \$calls; do kill \${call#*:}; done; exit 143" TERM
  while [ $# -gt 0 ] && read -r now _ </proc/uptime && [ $((${now%%.*} - began)) -lt 3 ]; do
    calls=
    for turn in 1 2 3 4; do
      [ $# -gt 0 ] || break
      if [ "$2" = term ]; then scancel "--name=$3" -t RUNNING --full -s TERM "$1" & else scancel "--name=$3" "$1" & fi
      calls="$calls $1:$!"
      shift 3
    done
    for call in $calls; do wait "${call#*:}" && printf "%s\n" "$fence${call%:*}"; done
  done'

# end_each [NUMBER]: all of `some`, or each that is this one's turn.
end_each() {
  turn=0
  while read -r id how tell key name; do
    turn=$((turn % ${AT_ONCE##* } + 1))
    case $id:${1:-$turn} in ?*:"$turn") end_job "$id" "$how" "$tell" "$key" "$name" ;; esac
  done <<END
$some
END
}
