# What Slurm's compute nodes need: the wrapper alone.
# Needs: install_wrapper (puts wrapper.sh and enter.sh there).
# Gives: install_all (puts all files there that this scheduler's Runs need).

install_all() { install_wrapper; }
