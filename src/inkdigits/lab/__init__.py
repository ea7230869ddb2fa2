"""The lab: draw at the network, watch it learn, look inside. A page on this machine alone.

Seeing a network learn needs more than a command line. The page asks a small server, `app`, which
calls what everyone else calls: nothing is computed here that cannot be called from Python. `guard`
lets in this machine's user and nobody else, `store` keeps what the user made, and `server` starts
and ends it all. Programs are served as well: `reading` is for them.
"""

from inkdigits.lab.server import serve

__all__ = ["serve"]
