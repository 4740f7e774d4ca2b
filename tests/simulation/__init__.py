"""A deterministic world in which everything may go wrong, and the promises are held against it.

    Librarian (the client library)  ┐                       ┌ the server: edge, tasks, core
    Plain (a client of its own)     ┴ stream ── network ── socket            │
         Witness: what must follow on one connection                 System: `os`, threads
                 Truth: what must be so of all rooms ──────────────── Disk: what lasts

One seed decides who there is, the server's settings, every delay, every failure, the order of
Trio's tasks, and, where no list of actions is given, what happens. Time is the autojump clock's.

All of the server runs that is between the kernel and the rules, the code of its history files and
WebSockets too; its HTTP side does not. The seam is the kernel's calls, because most ways of losing
a line are in between: `host.py` has the list. Worker threads are played by greenlets, because a
clock that jumps when all tasks wait does not know of threads: `system.py` says how.

`world.run(seed)` plays one. `python -m tests.simulation --runs 10000` plays many.
"""
