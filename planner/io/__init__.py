"""Files: one atomic writer, one lock, one digest, one cache of answers."""
