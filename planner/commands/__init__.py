"""The commands, one a file: configure(parser) and run(arguments) -> exit code."""
