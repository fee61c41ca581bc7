"""Ablations: the method with one part switched off at a time, all else the same.

`rows` says what is switched, `row` trains, encodes and compares one, `ablate` runs them all, and
`table` shows them.
"""
