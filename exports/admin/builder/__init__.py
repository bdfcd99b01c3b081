"""The export builder: a page of the admin that builds, previews and runs a request for an export.

The form posts a `State` (`posted.py`). `bodies.py` converts a state to the body of a request, and
the body of any request to a state, so that saved presets, duplicates and forms are the same thing.
The API's parser reads the body: the builder itself accepts and refuses nothing.
"""
