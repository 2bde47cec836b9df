"""What is wrong here, and what to do: checks that look at everything a command needs, and change nothing."""
