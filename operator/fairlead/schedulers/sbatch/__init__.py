"""sbatch's language: the options that a script's first lines and a request say. Bare hosts read it, too."""
