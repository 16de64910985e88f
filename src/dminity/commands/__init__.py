"""The `dminity` command: one file for each subcommand."""
