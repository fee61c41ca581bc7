"""Ablations: the method with one part switched off at a time, all else the same.

`rows` lists the switches, `row` trains, encodes and compares one, `ablate` runs them all, and
`table` writes them as a page.
"""
