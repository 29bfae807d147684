"""Tests: the same tree as the package; `builders` makes tiny cases for all of them."""
