"""What is signed and how a link is written: pure functions, no I/O, no clock."""
