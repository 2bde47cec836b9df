"""What several commands do alike: ask a server and go on where it refuses, wait for an approval, tell what counts."""
