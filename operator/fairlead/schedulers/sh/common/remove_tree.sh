# Takes the whole tree away once nothing in it is needed: nothing but tombstones, none of an object of which something is owed, and no entry that is not
# known. `unended` was written when a Run went down to its tombstone of which nobody had seen the end: for as long as that would stand, it may be needed.
# One rename takes the tree out of everybody's way, with its mark: nothing that comes late finds it, and what is made anew in its place is another folder. Who
# was in it by then may have begun something; so it is looked at once more, and put back if so. Its mark goes next, and then the rest, by as many execs as it
# takes: the first that finds it aside without its mark goes on.
# Needs: LAYOUT (the number of the tree's layout), DAYS (of a tombstone), WHO (this installation's own name in the tree), OWED (uids, words),
#   REMOVE_SECONDS (for one exec), MARKER (what its marker says), TREE (its path).
# Gives: nothing.
# shellcheck disable=SC2015  # A && B || C is meant: C when either fails

ASIDE=${TREE%/*}/.${TREE##*/}.gone.$MARKER

stays() { say stays "$(words "$1")"; finish; }

# needed: the first entry that is neither a tombstone nor a part of the tree, or that is a tombstone of an object of which something is owed.
needed() {
  for entry in * .[!.]* ..?*; do
    case $entry in
      bin | changes | host | layout | marker | runs | tmp | unended | "by-$WHO" | '*' | '.[!.]*' | '..?*' | .marker.* | .layout.*) ;;
      *) echo "$entry"; return ;;
    esac
  done
  if [ -e unended ] && [ -z "$(find unended -mtime "+$DAYS")" ]; then echo "the tombstone of a Run whose end nobody has seen"; return; fi
  for uid in $OWED; do
    for entry in "runs/$uid"-*; do if [ -e "$entry" ] || [ -h "$entry" ]; then echo "$entry"; return; fi; done
  done
  { [ ! -e runs ] || {
      find runs -mindepth 1 ! \( -type d ! -path 'runs/*/*' \) ! \( -type l -path 'runs/*/claim' ! -path 'runs/*/*/*' \) -print
      find runs -mindepth 1 -maxdepth 1 -type d -print
      find runs -mindepth 2 -maxdepth 2 -type l -name claim -exec ls -ld {} +
    }
    [ ! -e host/queue ] || find host/queue -mindepth 1 -print
  } 2>&1 | awk '
    match($0, / runs\/[0-9a-f-]+\/claim -> /) && substr($0, RSTART + RLENGTH) == "revoked" { stone["runs/" substr($0, RSTART + 6, RLENGTH - 16)] = 1; next }
    /^runs\/[0-9a-f-]+$/ { folder[$0] = 1; next }
    { print; found = 1; exit }
    END { if (!found) for (each in folder) if (!(each in stone)) { print each; exit } }'
}

# is_whole: whether what stands aside still has its mark, so that it was not looked at there.
is_whole() { has_mark 2>/dev/null && [ "$LINE" = "$MARKER" ]; }

# put_back WHY: unless another tree has been made in its place.
put_back() {
  cd /
  if [ ! -e "$TREE" ] && [ ! -h "$TREE" ] && mv "$ASIDE" "$TREE" 2>/dev/null; then stays "$1"; else stays "$1; it is at $ASIDE now"; fi
}

# is_closed: CLOSED, where it stands now.
is_closed() {
  was=$TREE TREE=$ASIDE
  only_ours
  closed=$?
  TREE=$was
  return "$closed"
}

# clear_parent: the folder that trees have by default goes with the last of them; one that a person has named is his.
clear_parent() { case $TREE in */.fairlead/*) rmdir "${TREE%/*}" 2>/dev/null ;; esac }

# clear: all that stands here, for so long. No link is followed, and no file system entered that somebody has mounted there.
clear() {
  timeout -k 2 "$REMOVE_SECONDS" find . -xdev -mindepth 1 ! -type d -exec rm -f {} + 2>/dev/null
  hung "$?" && { say more; finish; }
  timeout -k 2 "$REMOVE_SECONDS" find . -xdev -mindepth 1 -depth -type d -exec rmdir {} + 2>/dev/null
  status=$?
  hung "$status" && { say more; finish; }
  return "$status"
}

begin
moved=
[ ! -h "$ASIDE" ] || rm -f "$ASIDE"
if [ ! -d "$ASIDE" ]; then
  [ ! -h "$TREE" ] || stays "$TREE is a link"
  [ -e "$TREE" ] || clear_parent         # it is gone, and a probe has made that again since
  into_tree
  first_line layout && [ "$LINE" = "$LAYOUT" ] || stays "its layout is not the one that this release knows"
  found=$(needed)
  [ -z "$found" ] || stays "it holds $found"
  cd /
  why=$(mv "$TREE" "$ASIDE" 2>&1) || stays "it cannot be renamed: $why"
  moved=1
fi
cd "$ASIDE" 2>/dev/null || put_back "$ASIDE cannot be entered"
if is_whole; then
  is_closed || put_back "$WHY"
  found=$(needed)
  [ -z "$found" ] || put_back "it holds $found"
  rm -f marker
elif [ "$moved" ] || [ -e marker ]; then
  put_back "what stood at $TREE then was another folder"
else
  is_closed || stays "$WHY"
fi

clear || {
  find . -xdev -type d ! -perm -700 -exec chmod u+rwx {} \; 2>/dev/null   # a script can shut folders, to us too
  clear
}
left=$(find . -mindepth 1 2>/dev/null | head -n 1)
[ -z "$left" ] || stays "${left#./} in $ASIDE cannot be removed"
cd /
why=$(rmdir "$ASIDE" 2>&1) || stays "$why"
clear_parent
say gone
finish
