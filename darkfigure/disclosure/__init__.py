"""Statistical disclosure control: what may be published of figures that single respondents gave in confidence.

Here: tables from contributions, the primary rules, secondary suppression, rounding, the attacker that is the gate, and
protected tables as returns. Not here: where the contributions rest, and who may read them.
"""
