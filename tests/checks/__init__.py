"""What must hold in every baked project: functions from a tree, or a text, to a list of problems.

A problem is one line that starts with the file. No problem is an empty list, and
`test_checks.py` plants the fault that each function is there to find.
"""
