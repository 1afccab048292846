"""A nation's node: the nation's own figures in its own file, given by SDMX-REST to those who may have them.

Here: everything that runs at the nation. Not here: who asks it (``darkfigure.repository.client`` and the models).
"""
