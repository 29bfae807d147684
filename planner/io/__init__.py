"""Files: written whole or not at all, locked, named by digests of what was written; a cache of answers."""
