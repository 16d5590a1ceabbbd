"""What people do to executions: start failed ones again, let them go on, end them, move them to
new code.

Operations are functions of an `Operator`: the stores, and who does it. The command line, the HTTP
API and deployments share them. Each leaves the right row in the `RunStore` for a host to find, and
a note in the history; one conditional write decides which of several operators may do it.
"""

from .bulk import ACTIONS, Result, apply, redrive
from .cancel import cancel
from .discard import discard
from .fork import fork
from .going_on import Given, go_on
from .migrate import migrate
from .operator import Operator, Outcome, Refusal
from .rehearsal import rehearsal
from .resume import resume
from .retry import retry
from .selection import Chosen, Filter, find, select
from .starting import Edited
from .target import Replay, Target, TriggerPort

__all__ = [
    "ACTIONS",
    "Chosen",
    "Edited",
    "Filter",
    "Given",
    "Operator",
    "Outcome",
    "Refusal",
    "Replay",
    "Result",
    "Target",
    "TriggerPort",
    "apply",
    "cancel",
    "discard",
    "find",
    "fork",
    "go_on",
    "migrate",
    "redrive",
    "rehearsal",
    "resume",
    "retry",
    "select",
]
