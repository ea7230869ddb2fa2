"""Runs: networks that learn in the lab, each in a folder and a process of its own.

`settings` say what is wanted, `plans` make a recipe and data of it, `estimates` tell beforehand how
long that takes. `runs` has them all; `process` starts the one that learns, the `worker`, which does
what is in its folder (`about`, `work`), tells of it (`points`, `hints`, `events`) and lets itself
be steered (`commands`, `helm`). `records` sum a run up, `duel` compares two, and whatever is read
from a run's folder may be damaged (`files`).
"""
