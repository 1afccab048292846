"""Returns that countries send: the form they fill, what is read of it, and the receipt that they get back.

Not here: the folder in which they arrive and the tables that they go to (``warehouse.inbox``).
"""
