"""What production does with scores, as pure functions: places among a day's scores, and call lists.

Belongs here: from columns and numbers to columns and numbers. Does not belong here: scoring (modeling/, serving/), or
where rows come from and go to (assets/, call_list at the top).
"""
