"""Structure-aware fuzzing of every format that is read from outside.

    python -m tests.fuzz scene --mutants 100000     # one family; prints a table
    python -m tests.fuzz all --seconds 60           # all families, each for a minute
    python -m tests.fuzz scene --seed 4711          # one mutant again, with its traceback

A mutant is made from its seed alone, so any finding can be repeated. Mutants run in a process of
their own, which may crash, hang or ask for too much memory; the run counts that and goes on.
"""
