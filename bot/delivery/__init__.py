"""The only writer of living messages: it asks which message does not yet show what is true, and makes it so."""
