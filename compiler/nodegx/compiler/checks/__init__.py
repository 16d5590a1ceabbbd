"""The passes of `check`, one module each. None of them raises on bad input: they note findings."""
