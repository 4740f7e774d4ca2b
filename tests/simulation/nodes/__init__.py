"""Worlds of several nodes over one engine, in which everything between them may go wrong.

    Person ── Server: rooms, storage, nodes ── link ── EngineHost ── Engine, a twin of Redis
                │                                          in Python, that may forget
             System: a disk and a clock for each node
                                    Judge: what must be so on all nodes when all is quiet

The nodes are real, down to the socket to the engine: `link.py` takes that socket's place, so what
reads and writes RESP3, sends scripts and begins again after a cut is the code that serves. Only
people come without a network: they are members of rooms at once (`person.py`). The engine is
`engine.py`; `test_engine.py` holds it against a real one, call by call.

`python -m tests.simulation.nodes --runs N [--seed S]` plays worlds. One seed is one world.
"""
