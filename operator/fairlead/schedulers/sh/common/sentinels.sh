# What run directories say.
# Needs: KEYS (lines `key id`, the id perhaps missing), LOOK_SECONDS (once so many are over, the keys that are left are told as `later`, and are looked at by the
#   next poll), FOLD (the program for awk), foldable (in front of it).
# Gives: ID (of the key), TOLD (keys of which something was told), log_tail (KEY OUT ERR), sentinels_of (some keys), sentinels (of the keys in KEYS),
#   touch_live (keeps them young), is_late (whether the others have to wait).
# shellcheck disable=SC2034,SC2153  # what is set here is read by the scripts behind it; LINE is set by first_line

# log_tail KEY OUT ERR: size and last 4 KiB of the user's output, where this login node can read them. Of what is no longer than that, all at once. Where a
# progress bar was drawn, what it came to: the last 4 KiB of what 64 are folded to.
log_tail() {
  case $2 in /*) ;; *) return ;; esac
  [ "${#2}" -le 4096 ] && [ "${#3}" -le 4096 ] || return
  KEY=$1 OUT=$2 ERR=$3 size=''
  set --
  if [ -f "$OUT" ] && [ -r "$OUT" ]; then
    # shellcheck disable=SC2046  # a word for each byte
    set -- $(exec timeout -k 2 5 od -An -v -tx1 -N 4097 "$OUT" 2>/dev/null)
    size=$#
    if [ "$size" -gt 4096 ]; then
      size=$(exec timeout -k 2 5 stat -L -c %s "$OUT" 2>/dev/null)
      # shellcheck disable=SC2046  # the same
      set -- $(timeout -k 2 5 tail -c 4096 "$OUT" 2>/dev/null | od -An -v -tx1)
    fi
    case " $* " in
      *" 0d "* | *" 08 "* | *" 1b "*)   # a return, a backspace, an escape
        # shellcheck disable=SC2046  # the same
        set -- $({ timeout -k 2 5 tail -c 65536 "$OUT" 2>/dev/null | foldable; echo; } |
          FOLD_FENCE='' MODE='end' OFFSET=0 HELD='' awk "$FOLD" 2>/dev/null | tail -c 4096 | od -An -v -tx1)
        ;;
    esac
  fi
  IFS=
  say log "$KEY" "$size" "$OUT" "$ERR" "$*"
  unset IFS
}

# read_all FOLDER START: ID, REFUSED, STOP, STARTED and FINISHED are the first lines of the files of these names, of that start, OUT and ERR what is behind
# the one of `started`: one process for all. See `beginning`: what cannot be opened to be written, too, is read by itself. The order is that of reading:
# `stop` comes after the ends, so that one which a signal of ours has caused is never seen without its reason.
read_all() {
  ID='' REFUSED='' STOP='' STARTED='' FINISHED='' OUT='' ERR=''
  set -- "$1" "$1/id" "$1/refused" "${2:+$1/started-$2}" "${2:+$1/finished-$2}" "$1/stop"
  seen=
  for file do
    [ "$file" != "$1" ] || continue
    if [ ! "$file" ] || [ ! -f "$file" ] || [ ! -s "$file" ]; then
      seen="$seen -"
    elif [ -w "$file" ]; then
      seen="$seen +"
    else
      read_each "$@"
      return
    fi
  done
  case $seen in *+*) ;; *) return ;; esac
  seen=$(heads "$@") || { read_each "$@"; return; }
  number='' line=0
  while IFS= read -r text; do
    case $text in "==> /proc/self/fd/"[3-7]" <==") number=${text%" <=="} number=${number##*/} line=0; continue ;; esac
    line=$((line + 1))
    [ "$line" -gt 1 ] || [ "${#text}" -lt 4096 ] || text=
    case $number.$line in
      3.1) ID=$text ;; 4.1) REFUSED=$text ;; 5.1) STARTED=$text ;; 5.2) OUT=$text ;; 5.3) ERR=$text ;; 6.1) FINISHED=$text ;; 7.1) STOP=$text ;;
    esac
  done <<END
$seen
END
}

# heads FOLDER FILE...: what these five files begin with, each behind its number; in the place of this shell.
heads() {
  shift
  for file do
    shift
    { [ "$file" ] && [ -f "$file" ]; } || file=/dev/null
    set -- "$@" "$file"
  done
  {
    for number in 3 4 5 6 7; do
      [ -f "/proc/self/fd/$number" ] || [ "$1" = /dev/null ] || exit 1
      shift
    done
    exec head -v -c 12288 /proc/self/fd/3 /proc/self/fd/4 /proc/self/fd/5 /proc/self/fd/6 /proc/self/fd/7
  } 3<>"$1" 4<>"$2" 5<>"$3" 6<>"$4" 7<>"$5"
} 2>/dev/null

# read_each FOLDER FILE...: the same, one by one.
read_each() {
  first_line "$2" && ID=$LINE
  first_line "$3" && REFUSED=$LINE
  [ "$4" ] && first_line "$4" && STARTED=$LINE && {
    { read -r _ && IFS= read -r OUT && IFS= read -r ERR; } <<END
$(beginning "$4" 12288)
END
  }
  [ "$5" ] && first_line "$5" && FINISHED=$LINE
  first_line "$6" && STOP=$LINE
}

# sentinels KEY: what its directory holds. ENDED: 1 if a `finished` of the claimed id's last start is among it, `revoked` if its script never runs. ID: the claimed id, or the submitted one.
sentinels() {
  run=runs/$1 claim='' never='' word='' bare='' ENDED='' ID=''
  [ -d "$run" ] || { say run "$1" absent; return; }
  set -- "$1" "$run"/*          # lists the folder afresh: an NFS client may remember that a file was not there
  claim=$(exec readlink "$run/claim")
  [ -h "$run/never" ] && never=$(exec readlink "$run/never")
  last_start "$run"
  read_all "$run" "$LAST"
  [ "$STARTED" ] && say "started-$LAST" "$1" "$STARTED"
  [ "$FINISHED" ] && say "finished-$LAST" "$1" "$FINISHED"
  [ "$LAST" ] && [ -h "$run/word-$LAST" ] && word=$(exec readlink "$run/word-$LAST")
  # What is longer than any word of ours is none.
  [ "${#claim}" -le 256 ] || claim=-
  [ "${#never}" -le 256 ] || never=
  [ "${#word}" -le 256 ] || word=
  [ "${#ID}" -le 256 ] || ID=
  [ "${#STOP}" -le 256 ] || STOP=-
  [ -e "$run/ready" ] || bare=bare
  say run "$1" present "$claim" "$ID" "$REFUSED" "$STOP" "$never" "$word" "$bare"
  case $claim in '' | revoked) FINISHED='' ;; *) ID=${claim%%.*} ;; esac
  case $ID in *[!0-9]* | ???????????*) ID='' ;; esac   # it becomes an argument
  [ "$claim" = revoked ] && ENDED=revoked
  [ "$ID" ] && [ "${FINISHED%% *}" = "$ID" ] && ENDED=1 && log_tail "$1" "$OUT" "$ERR"
}

# sentinels_of WORK: the same for many keys, with one process for all their files: WORK is lines `listed key known`. TOLD becomes lines of what is left to do,
# their fields parted by US: listed, key, known, ID, ENDED (or `revoked`), OUT, ERR, and `again` where `sentinels` has to look after all. Fails where the files cannot be
# read so, since a script has put something else in their place meanwhile; what was said by then does not count.
sentinels_of() {
  work=$1 made=
  set --
  while read -r listed key known; do
    [ "$key" ] || continue
    run=runs/$key LAST=absent held=- bare=bare
    if [ -d "$run" ]; then
      last_start "$run"
      [ ! -h "$run/claim" ] || held=1
      [ ! -e "$run/ready" ] || bare=-
      for file in "$run/id" "$run/refused" ${LAST:+"$run/started-$LAST" "$run/finished-$LAST"} "$run/stop"; do
        [ -f "$file" ] && [ -s "$file" ] && [ -r "$file" ] && [ ! -h "$file" ] && set -- "$@" "$file"
      done
    fi
    made="$made$listed $key ${known:--} ${LAST:--} $held $bare$LINE_END"
  done <<END
$work
END
  { TOLD=$(exec 2>&3 && exec timeout -k 2 10 awk -v fence="$FENCE" -v us="$US" "$LOOKS" - "$@" <<END
$made
$LINKS
END
  ); } 3>&1
}

# shellcheck disable=SC2016  # awk's own fields. Rows go to its standard error, what is left to do to its standard output.
LOOKS='
  function row(kind, fields) { print fence us kind us fields >"/dev/stderr" }
  function link(path, longer, target) { target = path in links ? links[path] : ""; return length(target) > 256 ? longer : target }
  FILENAME !~ /^runs\// && !behind {
    if ($0 == "") behind = 1
    else { count++; listed[count] = $1; keys[count] = $2; known[count] = $3; last[count] = $4; held[count] = $5; bare[count] = $6 }
    next
  }
  FILENAME !~ /^runs\// {
    if (match($0, /runs\/[0-9a-f-]+\/(claim|never|word-[0-9]+) -> /)) links[substr($0, RSTART, RLENGTH - 4)] = substr($0, RSTART + RLENGTH)
    next
  }
  FNR == 1 && length($0) < 4096 { text[FILENAME] = $0 }
  FNR == 2 { out[FILENAME] = $0 }
  FNR == 3 { err[FILENAME] = $0 }
  END {
    for (i = 1; i <= count; i++) {
      key = keys[i]; run = "runs/" key; id = ended = again = ""
      started = run "/started-" last[i]; finished = run "/finished-" last[i]
      claim = link(run "/claim", "-")
      if (last[i] == "absent") row("run", key us "absent")
      else if (held[i] == "1" && claim == "") again = "again"
      else {
        if (text[started] != "") row("started-" last[i], key us text[started])
        if (text[finished] != "") row("finished-" last[i], key us text[finished])
        id = length(text[run "/id"]) > 256 ? "" : text[run "/id"]
        stop = length(text[run "/stop"]) > 256 ? "-" : text[run "/stop"]
        row("run", key us "present" us claim us id us text[run "/refused"] us stop us link(run "/never", "") us link(run "/word-" last[i], "") us (bare[i] == "-" ? "" : bare[i]))
        ender = text[finished]; sub(/ .*/, "", ender)
        if (claim == "" || claim == "revoked") ender = ""
        else { id = claim; sub(/\..*/, "", id) }
        if (id !~ /^[0-9]+$/ || length(id) > 10) id = ""
        if (id != "" && ender == id) ended = 1
        else if (claim == "revoked") ended = claim
      }
      print listed[i] us key us (known[i] == "-" ? "" : known[i]) us id us ended us out[started] us err[started] us again
    }
  }'

# is_late: whether a poll has looked at Runs for so long that the others have to wait; LOOKED: at one, which it does in any case. Where nobody says for how
# long the machine is up, there is no bound.
is_late() {
  [ "$LATE" ] && return
  [ "$LOOKED" ] || return
  uptime
  [ "$UPTIME" ] && [ "$BEGAN" ] && [ $((UPTIME - BEGAN)) -ge "$LOOK_SECONDS" ] && LATE=1
}
uptime
BEGAN=$UPTIME LATE='' LOOKED=''

# touch_live: sites purge scratch; the directories of live Runs are kept young.
touch_live() {
  touch -c . marker layout bin bin/* bin/*/*
  printf '%s\n' "$KEYS" | while read -r key _; do [ -d "runs/$key" ] && touch -c "runs/$key" "runs/$key"/[!c]*; done
}
