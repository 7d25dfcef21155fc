"""What must hold in every baked project.

A check takes a `Forest`, all projects at once, and returns each problem with the combinations that
have it; `forest.py` explains both. A check of one text returns a list of problems. A problem is one
line that starts with the file and, where a table of the suite may have to know more, ends with that
table's name. `test_checks.py` plants the fault that each check is there to find.
"""
