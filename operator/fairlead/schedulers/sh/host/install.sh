# What a bare host needs besides the wrapper. Set before it: LIBRARY, RUNNER, KEEPER.

install_all() {
  install_wrapper && install_file host.sh "$LIBRARY" && install_file runner.sh "$RUNNER" && install_file keeper.sh "$KEEPER"
}
