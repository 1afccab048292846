"""Publishers' files: what they are (declarations), how they are fetched, and how each is read.

One module per publisher's layout. A module turns bytes into typed returns in the publisher's own
codes and units; mapping those to common acts and areas is harmonisation, and not done here.
"""
