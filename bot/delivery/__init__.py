"""The only writer of living messages: it asks which message does not show what is true, and makes it so."""
