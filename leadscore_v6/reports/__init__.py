"""Reports a person reads: the verdict first, then the figures. Markdown, one file per step and attempt.

Belongs here: text and plots made from an attempt. Does not belong here: measuring, judging, or where a file goes.
"""
