# A bare host as its own scheduler: a queue, and the slots and GPUs that are handed out of it. Part of what the controller sends there, and read by
# runner.sh and keeper.sh, which go on when nobody is connected. The prelude stands in front of it.
#
#   HOST, in the tree        queue/<rank>-<id>: a Run that waits (`key id slots gpus seconds build`); number: the last id; capacity; lock
#   LOCKS, in the user's home, one for all his trees     slot-<n>, gpu-<n>: locked while a process of the Run that was given it has it open
#   runs/KEY/process         `id boot pid born time [group] locks...` of the keeper: one process for all time, where a pid alone is another's some day;
#                            group, an absolute path, is the control group of its script's processes
#   runs/KEY/outcome         `id word code time`: how it came out, written last
# Needs: SLOTS (the host's), GPUS (the host's), WATCH_SECONDS (for the wrapper), KILL_SECONDS (between TERM and the end by force), MARKER (what its
#   marker says), TREE (its path).
# Gives: AT, BOOT, BORN, HOST, ID, KEEPER, LOCKS, MACHINE, MEANS, QUEUE, SINCE, STATE, born, came_out, end_members, hand_out, is_number, kept, locked,
#   look_at, look_at_queue, members, on_host, own_group, own_systemd, queued, unlocked, withdraw (ID: takes it back), written.
# shellcheck shell=sh disable=SC2034,SC2153  # what is set here is read by the scripts behind it

BOOT=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null)
MACHINE=$(head -c 64 /etc/machine-id 2>/dev/null | tr -cd '0-9a-f')
MACHINE=${MACHINE:-unnamed}     # containers have none; no name of the host stands for it, since a container gets another one each time
HOST=host
LOCKS=$(cd "$HOME" && pwd -P)/.fairlead-slots/$MACHINE
LOCK_SECONDS=10                 # for the queue's lock, which nobody holds for long
STARTS=25                       # in one go, so that no exec outlasts its time-out; the next goes on
MINE=                           # a keeper's own line of runs/KEY/process, for when its script has removed that

# on_host: the folders are there, and the host's size is known to who comes without us. Set before it: SLOTS, GPUS, WATCH_SECONDS, KILL_SECONDS.
on_host() {
  own_folders "$HOST" "$HOST/queue" "${LOCKS%/*}" "$LOCKS" || return
  for own in capacity number lock; do { [ -f "$HOST/$own" ] && [ ! -h "$HOST/$own" ]; } || rm -rf "${HOST:?}/$own"; done   # nothing else is ours
  size="$SLOTS $GPUS $WATCH_SECONDS $KILL_SECONDS" seen=
  first_line "$HOST/capacity" && seen=$LINE
  [ "$seen" = "$size" ] || put "$HOST" capacity "$size"
}

# born PID: BORN is when that process began, in ticks since the boot; nothing if there is none.
born() {
  BORN=
  { IFS= read -r line <"/proc/$1/stat"; } 2>/dev/null || return
  # shellcheck disable=SC2086  # fields are words
  set -- ${line##*) }
  BORN=${20}
}

# is_number TEXT: whether it is a count as we write it; arithmetic on anything else ends some shells, and runs what stands there in others.
is_number() { case $1 in '' | *[!0-9]* | 0?* | ???????????*) return 1 ;; esac }

# written KEY: sets ID, KEEPER, SINCE, GROUP, TAKEN (its locks) and MEANS to what is written of its keeper. MEANS: how its processes are found.
written() {
  ID='' KEEPER='' SINCE='' TAKEN='' GROUP='' MEANS='' boot='' start=''
  if first_line "runs/$1/process" 12288 || [ "$MINE" ]; then
    read -r ID boot KEEPER start SINCE TAKEN <<END
${LINE:-$MINE}
END
    case $TAKEN in /*) GROUP=${TAKEN%% *} TAKEN=${TAKEN#"$GROUP"} ;; esac
    for lock in $TAKEN; do
      case $lock in slot-*[!0-9]* | gpu-*[!0-9]*) TAKEN='' ;; slot-?* | gpu-?*) ;; *) TAKEN='' ;; esac
    done
    case $GROUP in
      */fairlead-*.scope/"fairlead-$1") MEANS=SystemdScope ;;
      */"fairlead-$1") MEANS=Cgroup ;;
      *) GROUP='' MEANS=LinuxProc ;;
    esac
  fi
}

# kept KEY: whether its keeper lives; sets what `written` does. A script can name any process there: a keeper's arguments hold its key.
kept() {
  written "$1"
  is_number "$KEEPER" && [ "$boot" = "$BOOT" ] && born "$KEEPER" && [ "$BORN" = "$start" ] &&
    grep -q -s -z -x -F -e "$1" "/proc/$KEEPER/cmdline"
}

# members KEY: the processes of its script, whatever they have made of themselves: those with the key in their environment, those that have one of its
# slots open, those in its control group or one below, and all in the session of one of these. The keeper's own session is none of them, and no slot that
# another Run's keeper has taken is its own, whatever its script has written.
members() {
  kept "$1" || KEEPER=
  found=$({
    grep -l -s -z -x -F "FAIRLEAD_RUN=$1" /proc/[0-9]*/environ
    for lock in $TAKEN; do
      taken_by "$lock" && [ "$user" = "$TREE/runs/$1" ] && find /proc/[0-9]*/fd -maxdepth 1 -lname "$LOCKS/$lock" 2>/dev/null
    done
    [ "$GROUP" ] && grep -l -s -E "/fairlead-$1(/|\$)" /proc/[0-9]*/cgroup
  } | cut -d / -f 3 | sort -u | tr '\n' ' ')
  [ "$found" ] || return 0
  cat /proc/[0-9]*/stat 2>/dev/null | awk -v found="$found" -v keeper="$KEEPER" '
    match($0, /^[0-9]+ \(/) { pid = $1; sub(/.*\) /, ""); if ($1 != "Z") session[pid] = $4 }
    END {
      own = keeper in session ? session[keeper] : -1
      count = split(found, pids, " ")
      for (i = 1; i <= count; i++) if (pids[i] in session && session[pids[i]] != own) theirs[session[pids[i]]] = 1
      for (pid in session) if (session[pid] in theirs) print pid
    }'
}

# taken_by LOCK: user is the directory of the Run that was last given it.
taken_by() { user='' && first_line "$LOCKS/$1" 9999 && user=$LINE; }

# real_group KEY: GROUP becomes the path of that control group without links, or nothing if it is none: a script may have written any folder there, with a
# pipe in it that holds up whoever writes to it. Nobody but root can put another file system there.
real_group() {
  [ -z "$GROUP" ] || GROUP=$(cd "$GROUP" && [ "$(stat -f -c %t .)" = 63677270 ] && pwd -P) 2>/dev/null   # CGROUP2_SUPER_MAGIC: linux/magic.h
  case $GROUP in */"fairlead-$1") ;; *) GROUP= ;; esac
}

# end_members KEY: ends them all, and looks whether they are gone. The control group's own switch (Linux 5.14) ends what forks as fast as it is killed.
end_members() {
  written "$1"
  real_group "$1"
  tries=0
  while pids=$(members "$1"); [ "$pids" ] || ! group_removed; do
    [ "$tries" -lt 50 ] || return 1
    [ -w "$GROUP/cgroup.kill" ] && { echo 1 >"$GROUP/cgroup.kill"; } 2>/dev/null
    # shellcheck disable=SC2086  # pids are words
    kill -s KILL $pids 2>/dev/null
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
}

# group_removed: the control group and those that the script has made below it, deepest first. One is busy for a moment after its last process; one that
# somebody else has made there may not be ours to remove, and holds nobody up once it is empty.
group_removed() {
  [ "$GROUP" ] && [ -d "$GROUP" ] || return 0
  find "$GROUP" -depth -type d -exec rmdir {} \; 2>/dev/null
  [ ! -d "$GROUP" ] || { [ "$tries" -gt 10 ] && grep -q -s -x 'populated 0' "$GROUP/cgroup.events"; }
}

# look_at KEY, behind `look_at_queue`: STATE is PENDING, RUNNING or nothing: not there, or ended. A claimed Run whose keeper is gone without a word has
# ended: what is left of it is ended too, before anybody hears of it. The outcome is looked for again once the keeper is gone, since it is his last word.
look_at() {
  STATE='' claim=''
  [ -h "runs/$1/claim" ] && claim=$(readlink "runs/$1/claim")
  if [ -s "runs/$1/outcome" ]; then
    return
  elif kept "$1"; then
    STATE=RUNNING
  elif [ -s "runs/$1/outcome" ]; then
    return
  elif [ "$claim" = revoked ]; then
    [ ! -s "runs/$1/process" ] || end_members "$1"   # its keeper was killed before it could claim
  elif [ "$claim" ]; then
    end_members "$1" || { STATE=RUNNING; return; }
    ID=${claim%%.*}
    ended "runs/$1" "$ID" && return
    word="FAILED 137"           # as a shell says it of SIGKILL: nothing else ends a keeper without a word
    [ "$boot" ] && [ "$boot" != "$BOOT" ] && word="NODE_FAIL 0"
    [ -h "runs/$1/never" ] && word="FAILED 123"   # its wrapper has said so: a full disk may keep the keeper from saying it again
    came_out "$1" "$ID $word $(date +%s)"
  else
    queued "$1" && STATE=PENDING
  fi
}

# came_out KEY OUTCOME: writes it down. Of a Run that is revoked by now nobody asks, and nothing may come after its burial, which revokes first.
came_out() {
  put "runs/$1" outcome "$2"
  { printf '%-99.99s\n' "outcome $1 $2" 1<>changes; } 2>/dev/null   # as a wrapper's `tell_change`
  [ "$(readlink "runs/$1/claim")" != revoked ] || rm -rf "runs/$1/outcome" "runs/$1/process" "runs/$1/host.log" "runs/$1"/.begun-*
}

# look_at_queue: QUEUE is what waits, in its order, as `look_at` takes it; fails where that cannot be known. What is nothing that we write goes: it would
# hold up all, or stand in their way. (However many there are: no command gets all their names. A pipe that a script puts there meanwhile ends in 5 s.)
look_at_queue() {
  QUEUE=
  [ -d "$HOST/queue" ] || return 0
  entry='[0-9][0-9][0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]'
  find "$HOST/queue" -mindepth 1 -maxdepth 1 ! -name '.*' \( ! -type f -o -size +1 -o -size 0 -o ! -name "$entry" \) -exec rm -rf {} + 2>/dev/null
  # shellcheck disable=SC2016  # its own arguments
  QUEUE=$(find "$HOST/queue" -mindepth 1 -maxdepth 1 -type f -name "$entry" \
    -exec sh -c 'timeout -k 2 5 head -v -c 512 "$@"; [ $? -lt 124 ]' sh {} + 2>/dev/null) || return
  QUEUE=$(printf '%s\n' "$QUEUE" | awk '/^==> / { name = $2; next } NF { print name, $0 }' | sort | cut -d ' ' -f 2-)
}

# queued KEY: sets ID to its number in QUEUE, or fails.
queued() {
  case $LINE_END$QUEUE in *"$LINE_END$1 "*) ID=${QUEUE#*"$1 "} ID=${ID%% *} ;; *) ID=''; return 1 ;; esac
}

# withdraw ID: takes it out of the queue.
withdraw() { rm -f "$HOST"/queue/*-"$(printf '%010d' "$1")"; }

# locked: holds the queue's lock as file 9, until `unlocked`. Tried first: a redirection of `exec` that fails ends dash.
locked() { { true 9<>"$HOST/lock"; } 2>/dev/null && exec 9<>"$HOST/lock" && flock -w "$LOCK_SECONDS" 9; }
unlocked() { exec 9>&-; }

# free KIND COUNT: the numbers of the locks of this kind that nobody holds. Whoever was given one and died without a word is seen to first: not all of
# a Run's processes need have its slots open.
free() {
  number=0
  while [ "$number" -lt "$2" ]; do
    lock=$LOCKS/$1-$number
    { [ -f "$lock" ] && [ ! -h "$lock" ]; } || rm -rf "$lock"
    if flock -n "$lock" true 9>&-; then
      taken_by "$1-$number" || :
      STATE=          # whoever had it last need not be ours, or one of whom this exec asks
      case $user in "$TREE/runs/"*) [ -s "$user/outcome" ] || plain "${user##*/}"; look_at "${user##*/}" >/dev/null ;; esac
      [ "$STATE" = RUNNING ] || printf '%s ' "$number"
    fi
    number=$((number + 1))
  done
}

# pick COUNT NUMBERS...: PICKED is the first so many of them, REST the others; fails when there are fewer.
pick() {
  wanted=$1 PICKED='' REST=''
  shift
  for number do
    if [ "$wanted" -gt 0 ]; then PICKED="$PICKED$number " wanted=$((wanted - 1)); else REST="$REST$number "; fi
  done
  [ "$wanted" = 0 ]
}

# hand_out: starts what is at the head of the queue for as long as it fits; what does not fit holds back what is behind it.
hand_out() {
  look_at_queue || return
  [ "$QUEUE" ] || return 0
  locked || { unlocked; return 1; }
  begun=0
  free_slots=$(free slot "$SLOTS") free_gpus=$(free gpu "$GPUS")
  nofork='' SCOPE=''
  own_systemd && SCOPE=1
  case $(flock --help 2>&1) in *--no-fork*) nofork=-F ;; esac
  for entry in "$HOST"/queue/*; do
    [ "$begun" -lt "$STARTS" ] || break
    first_line "$entry" || continue
    read -r key id slots gpus seconds build <<END
$LINE
END
    is_entry || { rm -f "$entry"; continue; }
    if [ -h "runs/$key/claim" ] || [ -e "runs/$key/outcome" ]; then rm -f "$entry"; continue; fi
    [ "$slots" -le "$SLOTS" ] && [ "$gpus" -le "$GPUS" ] || continue   # the host was made smaller since: it waits, and holds nobody back
    # shellcheck disable=SC2086  # numbers are words
    { pick "$gpus" $free_gpus; } || break
    gpu_numbers=$PICKED left_gpus=$REST
    # shellcheck disable=SC2086  # the same
    { pick "$slots" $free_slots; } || break
    start || break
    free_slots=$REST free_gpus=$left_gpus begun=$((begun + 1))
    rm -f "$entry"
  done
  unlocked
}

# is_entry: whether what was read of the queue is as we write it.
is_entry() {
  case $key in '' | *[!0-9a-f-]*) return 1 ;; esac
  case $build in '' | *[!0-9a-f]*) return 1 ;; esac
  is_number "$id" && is_number "$slots" && is_number "$gpus" && is_number "$seconds" && [ -e "runs/$key/ready" ]
}

# own_systemd: whether the user's own systemd makes scopes that outlast his logins: without linger it ends with the last of them.
own_systemd() { [ -e "/var/lib/systemd/linger/$LOGIN" ] && [ -S "/run/user/$ME/systemd/private" ] && command -v systemd-run >/dev/null 2>&1; }

# own_group: AT is the control group (version 2) that we are in, as a folder; fails unless we may make others below it and move processes into them.
own_group() {
  AT='' path=''
  while IFS=: read -r number _ path; do [ "$number" = 0 ] && break; path=''; done </proc/self/cgroup
  while [ "$path" ] && read -r _ _ _ root point rest; do
    case $rest in *' - cgroup2 '*) ;; *) continue ;; esac
    root=${root%/}
    case $path/ in *[!a-zA-Z0-9_:.@/-]* | */../*) ;; "$root"/*) AT=$point${path#"$root"} AT=${AT%/}; break ;; esac
  done </proc/self/mountinfo
  case $AT in '' | *[!a-zA-Z0-9_:.@/-]*) return 1 ;; esac
  [ -w "$AT" ] && [ -w "$AT/cgroup.procs" ]
}

# start: the Run of `entry`, with the slots PICKED and the GPUs gpu_numbers; succeeds once it has its claim, or its end. systemd may refuse a scope, or not
# answer: then it starts as anywhere. It never begins twice: runner.sh in the scope goes on only if it makes the mark, and we only if we do.
start() {
  mark=runs/$key/.begun-$TAG tries=0
  if [ "$SCOPE" ]; then
    launch "$mark"
    until [ -d "$mark" ]; do
      if kill -0 "$runner" 2>/dev/null && [ "$tries" -lt 100 ]; then
        tries=$((tries + 1))
        sleep 0.05 2>/dev/null || sleep 1
      else
        mkdir "$mark" 2>/dev/null && SCOPE='' && kill -s KILL "$runner" 2>/dev/null   # nor is it tried for those behind it
      fi
    done
  fi
  [ "$SCOPE" ] || launch
  tries=0
  until [ -h "runs/$key/claim" ] || [ -e "runs/$key/outcome" ]; do
    kill -0 "$runner" 2>/dev/null && [ "$tries" -lt 200 ] || return 1
    tries=$((tries + 1))
    sleep 0.05 2>/dev/null || sleep 1
  done
}

# launch [MARK]: runner is the process that will have run it, in a session of its own; with MARK in a scope of its own, which is its own to divide.
launch() {
  ( umask "$USER_UMASK"
    set -- sh "bin/$build/runner.sh" "$TREE" "$MARKER" "$key" "$id" "$build" "$seconds" "$PICKED" "$gpu_numbers" "$nofork" "$@"
    [ "$SCOPE" ] && set -- systemd-run --user --scope --quiet --collect -p Delegate=yes --unit="fairlead-$key" "$@"
    exec_bare ${SCOPE:+XDG_RUNTIME_DIR="/run/user/$ME"} setsid "$@"
  ) >>"runs/$key/host.log" 2>&1 9>&- &
  runner=$!
}
