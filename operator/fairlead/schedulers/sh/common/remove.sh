# Brings run directories down to tombstones, takes old tombstones away, and lists what the tree holds.
# Needs: KEYS (lines `key leave`, by which it is known that a Run was left alone), DAYS (of a tombstone), SWEEP (1: list the tree, too), MARKER (what
#   its marker says), TREE (its path), listed_jobs (says what has our mark, and at the end `listed` with 0 if that was all).
# Gives: MOST_ROWS (of directories, in one answer).

MOST_ROWS=20000                 # of directories, in one answer

AT_ONCE=50                      # directories whose entries go by one command

# bury_all: the directories of KEYS, of so many at once the entries. In each `revoked` is renamed over the claim first, so that no start can win at any moment; `stop`
# goes last. What the user's script wrote stays. A claim that says `revoked` is left as it is: nothing ever takes its place.
bury_all() {
  set --
  while read -r key _; do set -- "$@" "$key"; done <<END
$KEYS
END
  revoked='' known='' LINKS=
  if [ $# -gt 2 ]; then plain_links "$@"; revoked=$(are_revoked); else plain "$@"; fi
  case $LINKS in *' -> '*) known=1 ;; esac
  some='' moved='' count=0
  while read -r key leave; do
    [ "$key" ] || continue
    run=runs/$key
    first_line "$run/orphaned" && is_leave "$LINE" "$leave" && { say kept "$key"; continue; }
    [ -d "$run" ] || mkdir -m 700 "$run"
    [ -w "$run" ] || chmod u+rwx "$run"
    case $LINE_END$revoked in
      *"$LINE_END$key$LINE_END"*) ;;
      *)
        if [ "$known" ] || [ ! -h "$run/claim" ] || [ "$(exec readlink "$run/claim")" != revoked ]; then
          [ ! -e "$run/stop" ] || ! was_given_up "$run" || true >>unended
          ln -s revoked "$run/.claim.$TAG" && mv -f "$run/.claim.$TAG" "$run/claim"
          if [ "$known" ]; then moved="$moved $key"; key=; else
            [ "$(exec readlink "$run/claim")" = revoked ] || { say kept "$key"; continue; }
          fi
        fi ;;
    esac
    some="$some $key" count=$((count + 1))
    [ "$count" -lt "$AT_ONCE" ] || { clear_some; some='' count=0; }
  done <<END
$KEYS
END
  [ "$count" = 0 ] || clear_some
}

# was_given_up FOLDER: whether its last start was closed though nobody has seen its end: should it live, on a node that was cut off, it ends by the tombstone.
was_given_up() {
  word='' over=''
  { read -r word over _ <"$1/stop"; } 2>/dev/null
  [ "$word $over" = 'close over' ] || return
  last_start "$1"
  [ ! -s "$1/finished-${LAST:-0}" ]
}

# are_moved: of those in `moved`, over whose claim `revoked` was renamed, goes to `some` what says so now: one process looks at all.
are_moved() {
  set --
  for key in $moved; do set -- "$@" "runs/$key/claim"; done
  LINKS=$(exec ls -ldq "$@")
  now=$LINE_END$(are_revoked)$LINE_END
  for key in $moved; do
    case $now in *"$LINE_END$key$LINE_END"*) some="$some $key" ;; *) say kept "$key" ;; esac
  done
  moved=
}

# are_revoked: the keys whose claim `ls` has shown as `revoked`, each in a line of its own, with one behind the last.
are_revoked() {
  awk 'match($0, /runs\/[0-9a-f-]+\/claim -> /) && substr($0, RSTART + RLENGTH) == "revoked" { print substr($0, RSTART + 5, RLENGTH - 15) } END { print "." }' <<END
$LINKS
END
}

# clear_some: all but claim and `stop` of these keys' directories, and what a submission that was cut off in the middle had put aside; then `stop`.
clear_some() {
  [ ! "$moved" ] || are_moved
  set --
  for key in $some; do
    for entry in "runs/$key"/* "runs/$key"/.[!.]* "tmp/$key".*; do
      case $entry in */claim | */stop) ;; *) if [ -e "$entry" ] || [ -h "$entry" ]; then set -- "$@" "$entry"; fi ;; esac
    done
  done
  [ $# = 0 ] || rm -rf "$@" || for entry do rm -rf "$entry" || { chmod -R u+rwx "$entry"; rm -rf "$entry"; }; done
  set --
  for key in $some; do if [ -e "runs/$key/stop" ] || [ -h "runs/$key/stop" ]; then set -- "$@" "runs/$key/stop"; fi; done
  [ $# = 0 ] || rm -f "$@"
  for key in $some; do if only_claim "runs/$key"; then say buried "$key"; else say kept "$key"; fi; done
}

# only_claim FOLDER: whether it is a tombstone.
only_claim() {
  set -- "$1" "$1"/*
  [ $# = 2 ] && [ -h "$2" ] && [ "$2" = "$1/claim" ]
}

# clear_old: moved aside first, so that no half of a tombstone is ever seen. What a cut exec left aside goes after a day.
clear_old() {
  find runs -mindepth 1 -maxdepth 1 -type d -mtime "+$DAYS" | {
    set --
    while IFS= read -r run; do
      ! only_claim "$run" || set -- "$@" "$run"
      [ $# -lt 200 ] || { clear_stones "$@"; set --; }
    done
    [ $# = 0 ] || clear_stones "$@"
  }
  find tmp -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} +
  [ ! -e unended ] || find unended -mtime "+$DAYS" -exec rm -rf {} +
}

# clear_stones FOLDER...: those of them whose claim says `revoked`, by as many processes as for one.
clear_stones() {
  LINKS=$(for run do shift; set -- "$@" "$run/claim"; done; exec ls -ldq "$@")
  stones=$LINE_END$(are_revoked)$LINE_END
  for run do
    shift
    case $stones in
      *"$LINE_END${run#runs/}$LINE_END"*) ;;
      *) [ ! "$LINKS" ] && [ "$(exec readlink "$run/claim")" = revoked ] || continue ;;   # an `ls` that knows no -q says nothing
    esac
    set -- "$@" "$run"
  done
  [ $# != 0 ] && own_folders "tmp/old.$TAG" && mv "$@" "tmp/old.$TAG/"
  rm -rf "tmp/old.$TAG"
}

# is_key NAME: whether it names a Run. No Job has more than 9,999 attempts.
is_key() {
  case $1 in
    *[!0-9a-f-]*) return 1 ;;
    ????????-????-????-????-????????????-[1-9] | ????????-????-????-????-????????????-[1-9][0-9]) ;;
    ????????-????-????-????-????????????-[1-9][0-9][0-9] | ????????-????-????-????-????????????-[1-9][0-9][0-9][0-9]) ;;
    *) return 1 ;;
  esac
}

# list_tree: every directory that is more than a tombstone, whose it is and what says that it was left alone; how many entries are no Run's, or too many;
# then every listed job with our mark. No process for each: `plain_tree` has left nothing that `read` could not end. What is longer than ours proves nothing.
list_tree() {
  rows=0 strange=0
  while IFS= read -r name; do
    run=runs/$name
    if ! is_key "$name" || [ -h "$run" ] || ! [ -d "$run" ]; then
      [ ! "$name" ] || strange=$((strange + 1))
      continue
    fi
    [ "$rows" -lt "$MOST_ROWS" ] || { strange=$((strange + 1)); continue; }
    rows=$((rows + 1)) owner='' orphaned=''
    [ -f "$run/owner" ] && IFS= read -r owner <"$run/owner"
    [ -f "$run/orphaned" ] && IFS= read -r orphaned <"$run/orphaned"
    [ "${#owner}" -le 512 ] || owner=
    [ "${#orphaned}" -le 128 ] || orphaned=
    say remnant "$name" "$owner" '' "$orphaned"
  done <<END
$(no_tombstones)
END
  say strange "$strange"
  listed_jobs
}

# no_tombstones: the names of the entries that are none: with more than a claim, without one, or with one that is not revoked. No shell looks at each: of
# hundreds of thousands most are. The fence between the lists is what no entry can be called.
no_tombstones() {
  { find runs -mindepth 2 -maxdepth 2 ! \( -name claim -type l \) -print
    echo "$FENCE"
    find runs -mindepth 2 -maxdepth 2 -name claim -type l -exec ls -ld {} +
    echo "$FENCE"
    find runs -mindepth 1 -maxdepth 1 ! -name '.*' -print
  } 2>/dev/null | awk -v fence="$FENCE" '
    $0 == fence { behind++; next }
    !behind { sub(/^runs\//, ""); sub(/\/.*/, ""); more[$0] = 1; next }
    behind == 1 { if (match($0, / runs\/[0-9a-f-]+\/claim -> /) && substr($0, RSTART + RLENGTH) == "revoked") stone[substr($0, RSTART + 6, RLENGTH - 16)] = 1; next }
    { sub(/^runs\//, "") }
    !($0 in stone) || $0 in more'
}

# plain_tree: as `plain`, for what is read of a whole tree, so that no process is needed for each directory.
plain_tree() {
  find runs -mindepth 2 -maxdepth 2 \( -name owner -o -name orphaned \) \( ! -type f -o -size +2 \) -exec rm -rf {} +
}

begin
into_tree
bury_all 2>/dev/null
[ "$SWEEP" ] && { clear_old; plain_tree; list_tree; } 2>/dev/null
finish
