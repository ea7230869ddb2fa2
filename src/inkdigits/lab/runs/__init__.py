"""Runs: networks that learn in the lab, each in a folder and a process of its own.

`settings` say what is wanted, `plans` make a recipe and data of it, `estimates` tell beforehand how
long that takes. `runs` starts the process, `worker`, which does what is in its folder (`work`),
tells of it (`points`, `hints`, `events`) and lets itself be steered (`helm`). `records` sum a run
up, `duel` compares two.
"""
