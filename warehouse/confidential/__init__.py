"""Firms' returns: an encrypted file, the only way into it and out of it, and the log of who went that way.

Here: key, file, audit log, and what is read of the returns for disclosure control. Not here: the form in which firms
send them (``darkfigure.exchange.firm_return``), or any rule on what may be published (``darkfigure.disclosure``).
"""
