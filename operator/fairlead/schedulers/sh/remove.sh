# Brings run directories down to tombstones, takes old tombstones away, and lists what the tree holds.
# Set before it: TREE, MARKER, KEYS (lines `key leave`, by which it is known that a Run was left alone), DAYS (of a tombstone), SWEEP. In front of it stands a scheduler's part: `listed_jobs` says what has
# our mark, and at the end `listed` with 0 if that was all.

MOST_ROWS=20000                 # of directories, in one answer

# bury KEY LEAVE: `revoked` is renamed over the claim first, so that no start can win at any moment; `stop` goes last. What the user's script wrote stays.
bury() {
  run=runs/$1
  first_line "$run/orphaned" && is_leave "$LINE" "$2" && { say kept "$1"; return; }
  mkdir -m 700 "$run" 2>/dev/null || [ -w "$run" ] || chmod u+rwx "$run"
  ln -s revoked "$run/.claim.$TAG" && mv -f "$run/.claim.$TAG" "$run/claim"
  [ "$(readlink "$run/claim")" = revoked ] || { say kept "$1"; return; }
  for entry in "$run"/* "$run"/.[!.]*; do
    case $entry in */claim | */stop) ;; *) rm -rf "$entry" || { chmod -R u+rwx "$entry"; rm -rf "$entry"; } ;; esac
  done
  rm -rf "tmp/$1".*             # what a submission that was cut off in the middle had put aside
  rm -f "$run/stop"
  if only_claim "$run"; then say buried "$1"; else say kept "$1"; fi
}

# only_claim FOLDER: whether it is a tombstone.
only_claim() {
  set -- "$1" "$1"/*
  [ $# = 2 ] && [ -h "$2" ] && [ "$2" = "$1/claim" ]
}

# clear_old: moved aside first, so that no half of a tombstone is ever seen. What a cut exec left aside goes after a day.
clear_old() {
  find runs -mindepth 1 -maxdepth 1 -type d -mtime "+$DAYS" | while IFS= read -r run; do
    only_claim "$run" && [ "$(readlink "$run/claim")" = revoked ] && mv "$run" "tmp/${run##*/}.$TAG" && rm -rf "tmp/${run##*/}.$TAG"
  done
  find tmp -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} +
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
  for run in runs/*; do
    if ! is_key "${run##*/}" || [ -h "$run" ] || ! [ -d "$run" ]; then
      [ "$run" = 'runs/*' ] || strange=$((strange + 1))
      continue
    fi
    only_claim "$run" && continue
    [ "$rows" -lt "$MOST_ROWS" ] || { strange=$((strange + 1)); continue; }
    rows=$((rows + 1)) owner='' orphaned=''
    [ -f "$run/owner" ] && IFS= read -r owner <"$run/owner"
    [ -f "$run/orphaned" ] && IFS= read -r orphaned <"$run/orphaned"
    [ "${#owner}" -le 512 ] || owner=
    [ "${#orphaned}" -le 128 ] || orphaned=
    say remnant "${run##*/}" "$owner" '' "$orphaned"
  done
  unburied | head -n "$MOST_ROWS" | while IFS= read -r run; do say remnant "$run" '' '' ''; done
  say strange "$strange"
  listed_jobs
}

# unburied: the names of directories with nothing but a claim that is not revoked: no tombstones of ours. (For all of them as many processes as for one.)
unburied() {
  { for run in runs/*; do if [ ! -h "$run" ] && only_claim "$run" && is_key "${run##*/}"; then echo "${run##*/}"; fi; done
    echo ""
    find runs -mindepth 2 -maxdepth 2 -name claim -type l -exec ls -ld {} + 2>/dev/null
  } | awk '
    $0 == "" { behind = 1; next }
    !behind { stone[$0] = 1; next }
    match($0, / runs\/[0-9a-f-]+\/claim -> /) { key = substr($0, RSTART + 6, RLENGTH - 16); if (key in stone && substr($0, RSTART + RLENGTH) != "revoked") print key }'
}

# plain_tree: as `plain`, for what is read of a whole tree, so that no process is needed for each directory.
plain_tree() {
  find runs -mindepth 2 -maxdepth 2 \( -name owner -o -name orphaned \) \( ! -type f -o -size +2 \) -exec rm -rf {} +
}

begin
into_tree
# shellcheck disable=SC2046  # words
plain $(printf '%s\n' "$KEYS" | cut -d ' ' -f 1)
while read -r key leave; do [ "$key" ] && bury "$key" "$leave" 2>/dev/null; done <<END
$KEYS
END
clear_old 2>/dev/null
[ "$SWEEP" ] && { plain_tree; list_tree; } 2>/dev/null
finish
