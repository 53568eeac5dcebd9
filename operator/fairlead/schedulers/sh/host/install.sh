# What a bare host needs besides the wrapper.
# Needs: LIBRARY (the text of host.sh), RUNNER (of runner.sh), KEEPER (of keeper.sh), install_file (NAME TEXT: puts one file where jobs find it),
#   install_wrapper (puts wrapper.sh and enter.sh there).
# Gives: install_all (puts all files there that this scheduler's Runs need).

install_all() {
  install_wrapper && install_file host.sh "$LIBRARY" && install_file runner.sh "$RUNNER" && install_file keeper.sh "$KEEPER"
}
