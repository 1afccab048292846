"""Models of a central repository of cybercrime statistics: nations' nodes, and the ways in which a centre uses them.

Here: a nation's node (``node``), its client, and five models that live through the same day. Not here: the figures of
the nations (``warehouse/figures``), the centre's own tables (``warehouse``), or how anything is drawn for readers.
"""
