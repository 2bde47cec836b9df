"""The person's side: streams and what they are, questions, the browser, and how things look."""
