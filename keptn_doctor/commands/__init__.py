"""What each command does; imported only when the command runs, so that --help stays quick."""
