"""The commands about models: which there are, what is known of them, and what a daemon does with its own."""
