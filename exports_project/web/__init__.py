"""The web server: gunicorn supervises processes; waitress serves HTTP in each of them.

Waitress receives a whole request before a thread processes it, and sends the response after the
thread is free again. A slow client occupies a socket, never a thread.
"""
