# One exec for all Runs of a site: the listing, then what the run directories, scontrol and sacct say of the keys that it does not explain.
# Needs: KEYED (functions for awk: by_path and by_mark), FORMAT (squeue's, command and comment last), STATE_FIELD (of a row), LIVE (states in which no second source need be asked, blanks around each), ENDING
#   (those of them in which the script may have ended), KEYS (lines `key id`, the id perhaps missing), SACCT_FORMAT (sacct's), ACCOUNTING (Auto, Required or None), MARK (the comment of
#   our jobs up to the key), MARKER (what its marker says), SACCT_SECONDS, SCONTROL_SECONDS, SQUEUE_SECONDS, TOLD, TOUCH (1: keep the directories of live
#   Runs young), TREE (its path), log_tail, sentinels (of the keys in KEYS), sentinels_of, slurm (SECONDS COMMAND...: calls one of Slurm's), touch_live
#   (keeps them young), is_late (whether the others have to wait).
# Gives: nothing.

MOST_OF_KEY=12288               # bytes of the rows that one key's mark is shown with: 64 rows and more
MOST_SAID=16384                 # bytes of scontrol's line
MOST_BOOKED=4096                # bytes of sacct's rows of one id

# sift: says the rows that squeue printed behind this exec's fence of the keys that are asked for, or of an id that we know: a site may have rewritten the comment of
# a job of an earlier release. In the place of command and comment is our mark with the key, if they have one. A newline in a comment makes a line without the fence. A script may submit as many jobs with a mark as it likes: ids
# that we know come first, and of each mark no more than its bound. A text longer than any that counts is cut, and does not count then either.
# UNEXPLAINED: the lines of KEYS of which it does not show just one job, in a live state, and those whose script may have ended; in front what it does
# show: `live`, `failed`, `ended` or `-`. One process: its standard error is the answer.
sift() {
  { UNEXPLAINED=$(exec 2>&3 && exec awk -F "$US" -v OFS="$US" -v fence="$FENCE" -v mark="$MARK" -v format="$FORMAT" -v most="$MOST_OF_KEY" \
      -v field="$STATE_FIELD" -v live="$LIVE" -v ending="$ENDING" "$KEYED$SIFTS" <<END
$KEYS

$LISTING
END
  ); } 3>&1
}
# shellcheck disable=SC2016  # awk's own fields
SIFTS='
  function shows(row) { print row >"/dev/stderr" }
  function counts() {
    if (key == "") return
    seen[key]++
    if (index(live, " " $field " ")) alive[key]++
    if (index(ending, " " $field " ")) ends[key]++
    if ($field == "FAILED") failed[key]++
  }
  BEGIN { fields = split(format, word, FS) + 2 }
  !behind && $0 == "" { behind = 1; next }
  !behind { line[++lines] = $0; split($0, word, " "); asked[word[1]] = 1; if (word[2] != "") known[word[2]] = 1; next }
  $1 != fence || NF < fields { next }
  {
    key = by_path($(fields - 1))
    if (key == "" && NF == fields) key = by_mark($NF)
    if (!(key in asked || $3 in known)) next
    row = $1
    for (i = 2; i < fields - 1; i++) row = row FS substr($i, 1, 1024)
    row = row FS (key == "" ? "" : mark key)
  }
  $3 in known { if (!shown[$3]++) { shows(row); counts() } next }
  (bytes[key] += length(row) + 1) <= most { held[++rows] = row; counts() }
  END {
    for (i = 1; i <= rows; i++) shows(held[i])
    for (i = 1; i <= lines; i++) {
      split(line[i], word, " "); key = word[1]
      if (alive[key] != 1 || seen[key] != 1 || ends[key]) print (alive[key] ? "live" : failed[key] ? "failed" : seen[key] ? "ended" : "-") " " line[i]
    }
  }'

# ask_scontrol KEY ID: a second source for an id that is not listed, so that an empty listing alone is never believed. What is longer than a job's
# line can be decides nothing.
ask_scontrol() {
  [ "$HUNG" ] && return
  said=$(slurm "$SCONTROL_SECONDS" scontrol -o show job "$2" 2>/dev/null); status=$?
  hung "$status" && HUNG=1
  [ "$status" = 0 ] && [ "${#said}" -le "$MOST_SAID" ] && said=$(printf '%s' "$said" | tr '\n\037' '  ') && say scontrol "$1" "$said"
}

# booked FORMAT: what sacct says of them.
booked() { slurm "$SACCT_SECONDS" sacct -X -n -P -S now-90days -j "$GONE" -o "$1" 2>&1; }

# ask_sacct: one call for all ids that nothing else explains; a name or a comment may be of any length. Whole rows or none: a part of one could lie. Of the
# line of a submission, which older releases do not keep, no more is told than the last path of our wrapper in it: a user's own name stands in front of that.
ask_sacct() {
  [ "$GONE" ] && [ "$ACCOUNTING" != None ] || return
  said=$(booked "$SACCT_FORMAT,SubmitLine"); status=$?
  case $status:$said in 1:*'nvalid field'*) said=$(booked "$SACCT_FORMAT"); status=$? ;; esac
  say accounting "$status"
  printf '%s\n' "$said" | awk -F '|' -v ids="$GONE" -v head="$FENCE${US}sacct$US" -v most="$MOST_BOOKED" '
    BEGIN { count = split(ids, word, ","); for (i = 1; i <= count; i++) gone[word[i]] = 1 }
    $1 in gone && match($0, /.* runs\/[0-9a-f-]+\/wrapper\.sh /) {
      path = substr($0, 1, RLENGTH - 1); sub(/.* /, "", path)
      $0 = $1 "|" $2 "|" $3 "|" $4 "|" path
    }
    $1 in gone && bytes[$1] + length(head $0) < most { bytes[$1] += length(head $0) + 1; print head $0 }'
}

begin
into_tree
LISTING=$(slurm "$SQUEUE_SECONDS" squeue -h -a -t all -u "$ME" -o "$FENCE${US}job$US$FORMAT" 2>&1)
status=$?
if [ "$status" != 0 ]; then
  say failed "$status" "$(words "$LISTING")"
  finish
fi
sift || { say failed "$?" "awk does not work on this login node"; finish; }

# look_at_some: at the keys of SOME, lines `listed key known`; by one process for all their files where they are many. The loops read from here-documents,
# not from pipes: what they set is needed after them.
look_at_some() {
  names=
  while read -r _ key _; do names="$names $key"; done <<END
$SOME
END
  is_late && { later; return; }
  # shellcheck disable=SC2086  # words
  if [ "$some" -gt 2 ]; then plain_links $names; else plain $names; fi
  if [ "$some" -gt 2 ] && sentinels_of "$SOME"; then
    while IFS=$US read -r listed key known ID ENDED out err again; do
      if [ ! "$key" ]; then
        continue
      elif is_late; then
        say later "$key"
        continue
      elif [ "$again" ]; then
        sentinels "$key"
      elif [ "$ENDED" = 1 ] && [ "$listed" != live ]; then
        log_tail "$key" "$out" "$err"
      fi
      ask "$listed" "$key" "$known"
    done <<END
$TOLD
END
  else
    echo                        # behind what may have been cut
    while read -r listed key known; do
      [ "$key" ] || continue
      if is_late; then say later "$key"; continue; fi
      sentinels "$key"
      ask "$listed" "$key" "$known"
    done <<END
$SOME
END
  fi
}

# later: all of SOME have to wait for the next poll.
later() { for key in $names; do say later "$key"; done; }

# ask LISTED KEY KNOWN: what its directory leaves open, with ID and ENDED from there.
ask() {
  # shellcheck disable=SC2034  # read by is_late
  LOOKED=1
  id=${ID:-$3}
  if [ "$1" != live ] && [ "$id" ]; then
    case $ENDED:$1 in
      1:* | revoked:ended) ;;
      *) ask_scontrol "$2" "$id" ;;   # also of one that is listed as ended: only here is its exit code, and why one that was revoked has never begun
    esac
    [ "$1" = - ] && GONE=${GONE:+$GONE,}$id
  fi
}

GONE='' HUNG='' SOME='' some=0
while read -r listed key known; do
  [ "$key" ] || continue
  SOME=$SOME$listed\ $key\ $known$LINE_END some=$((some + 1))
  [ "$some" -lt 100 ] || { look_at_some; SOME='' some=0; }
done <<END
$UNEXPLAINED
END
[ "$some" = 0 ] || look_at_some
ask_sacct
[ "$TOUCH" ] && touch_live 2>/dev/null
finish
