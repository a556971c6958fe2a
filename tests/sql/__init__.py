"""Tests of the shared SQL, by folder of `sql/`: analysed, run on both engines, and held against expected rows."""
