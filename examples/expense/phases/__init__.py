"""An expense report: the limits, and the books' offline twin."""
