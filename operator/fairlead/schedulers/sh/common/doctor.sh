# Looks at all that a Cluster needs at the far end, as its user, and changes nothing there. A row `step` says what is looked at next, so that of what hangs the
# name is known.
# Needs: WORK_DIR (the Cluster's), KNOWN_TREE (the tree that is remembered, or empty), KNOWN_MARKER (its marker), look_at_scheduler (says what it is,
#   and whether it can be used).
# Gives: problem (KIND WORDS: tells why it cannot be used).
# shellcheck disable=SC2015  # A && B || C is meant: C when either fails

# problem KIND WORDS: what a probe's scripts say of what they cannot work with. They are called in shells of their own.
problem() { say problem "$1" "$(words "$2")"; exit 0; }

look_at_login() {
  say step login
  seen=$(timeout -k 2 5 getent passwd "$ME" 2>/dev/null)
  seen=${seen##*:}
  say who "$(words "$LOGIN")" "$ME" "$(words "$(uname -n)")"
  say shell "$(words "${seen:-${SHELL:-}}")"
  say path "$(words "$PATH")"
}

# look_at_work_dir: the folder itself, or the nearest one above it that is there, in which it would be made.
look_at_work_dir() {
  say step work-dir
  # shellcheck disable=SC2088  # the tilde is what the user wrote
  case $WORK_DIR in '~') WORK_DIR=$HOME ;; '~/'*) WORK_DIR=$HOME/${WORK_DIR#??} ;; esac
  near=$WORK_DIR
  while [ ! -e "$near" ] && [ ! -h "$near" ] && [ "$near" != / ]; do near=${near%/*} near=${near:-/}; done
  may=
  if [ ! -d "$near" ]; then
    may=none
  elif [ ! -w "$near" ] || ! ( cd "$near" ) 2>/dev/null; then
    may=closed
  fi
  # shellcheck disable=SC2046  # words: owner's number, name, mode
  set -- $(timeout -k 2 5 stat -L -c '%u %U %a' "$near" 2>/dev/null)
  say work-dir "$(words "$WORK_DIR")" "$(words "$near")" "$may" "${1:-}" "$(words "${2:-}")" "${3:-}"
  [ "$may" ] || look_at_way "$near"
  say step disk
  look_at_disk "$near"
  if [ "$KNOWN_TREE" ]; then
    say step tree
    mark=
    first_line "$KNOWN_TREE/marker" && mark=$LINE
    [ "$mark" = "$KNOWN_MARKER" ] && mark=same || mark=${mark:+other}
    say tree "$(words "$KNOWN_TREE")" "${mark:-gone}"
  fi
}

# look_at_way FOLDER: whether nobody but us and root can put something else in the place of the tree: as `only_ours` asks of what stands above a tree.
look_at_way() {
  WAYS=
  ways "$1"
  ways "$(cd "$1" && pwd -P)"
  set -f
  IFS=$LINE_END
  # shellcheck disable=SC2086  # lines are words now
  set -- $WAYS
  unset IFS
  set +f
  open=$(timeout -k 2 5 find -H "$@" -prune \( ! -perm -1000 \( -perm -020 -o -perm -002 \) -o ! -user 0 ! -user "$ME" \) -print 2>/dev/null)
  [ -z "$open" ] || say open "$(words "${open%%"$LINE_END"*}")"
}

# look_at_disk FOLDER: the file system below it, its room for the user in KiB and files, and what the site's quota says, where it has that command.
look_at_disk() {
  set -f
  # shellcheck disable=SC2046  # fields are words: the last line is the file system's, however long its name is
  set -- $(timeout -k 1 5 df -P -k "$1" 2>/dev/null | tail -n 1) "$1"
  set +f
  [ "$#" -ge 7 ] || return
  shift $(($# - 7))              # a name with blanks in it takes several words
  free=$4 mount=$6 folder=$7
  # shellcheck disable=SC2046  # words: type and options
  set -- $(awk -v at="$mount" '$2 == at { type = $3; options = $4 } END { print type, options }' /proc/self/mounts 2>/dev/null)
  type=${1:-} options=${2:-}
  # shellcheck disable=SC2046  # fields are words
  set -- $(timeout -k 1 5 df -P -i "$folder" 2>/dev/null | tail -n 1)
  say disk "$(words "$mount")" "$(words "$type")" "$(words "$options")" "$free" "${2:-}" "${4:-}"
  over=$(timeout -k 1 5 quota -q 2>/dev/null </dev/null) || :
  [ -z "$over" ] || say quota "$(words "$over")"
}

say begin "$(date +%s)"
look_at_login
look_at_work_dir
look_at_scheduler
finish
