"""Speed and load of a run, measured side by side: ``python -m benchmarks.speed``, ``make bench``.

Each theme is a module that measures; ``page`` writes what they measured. The doctor is always a
process of its own that is started as a user starts it, and the lab is another one, so that time,
processor and memory are the doctor's alone. Nothing is patched, and nothing is asserted here: the
regression guard is in ``tests/performance``.
"""
