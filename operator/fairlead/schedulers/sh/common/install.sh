# Puts the wrapper where jobs find it.
# Needs: BUILD (names the files by their content, so that pending jobs keep theirs), ENTER, WRAPPER (the file's text, as the next).
# Gives: install_file (NAME TEXT: puts one file where jobs find it), install_wrapper (puts wrapper.sh and enter.sh there).

# install_file NAME TEXT: aside, then renamed: who finds it finds it whole. What is there is taken for it only if it is the same to the last byte.
install_file() {
  [ -f "bin/$BUILD/$1" ] && [ ! -h "bin/$BUILD/$1" ] && [ "$(head -c 99999 "bin/$BUILD/$1" 2>/dev/null; echo .)" = "$2." ] && return 0
  rm -rf "bin/$BUILD/$1"
  printf '%s' "$2" >"bin/$BUILD/.$1.$TAG" && chmod 500 "bin/$BUILD/.$1.$TAG" && mv -f "bin/$BUILD/.$1.$TAG" "bin/$BUILD/$1" && return 0
  rm -f "bin/$BUILD/.$1.$TAG"
  return 1
}

# install_wrapper: made again when a site has purged it, or somebody has changed it.
install_wrapper() {
  own_folders runs tmp bin "bin/$BUILD" && install_file wrapper.sh "$WRAPPER" && install_file enter.sh "$ENTER"
}
