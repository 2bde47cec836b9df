"""This device and its account: signing in, signing out, and taking devices off."""
