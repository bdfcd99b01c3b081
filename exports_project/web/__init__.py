"""The web server: gunicorn supervises processes in which waitress serves.

Waitress receives a whole request before a thread works on it, and sends the response after the
thread is free again, so a slow client costs a socket and not a thread.
"""
