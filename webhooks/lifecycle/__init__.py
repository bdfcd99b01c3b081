"""All changes of the status of deliveries and of the state of subscriptions.

Each change is one conditional UPDATE. The database's clock decides what is due. Modules:

- `claims`: a sender claims due deliveries, under a lease
- `results`: results of attempts are recorded; failed deliveries are retried with backoff
- `pauses`: failing targets are paused and, in the end, disabled
- `activation`: subscriptions are changed, enabled, disabled and deleted
- `requeueing`: deliveries are sent again, requeued after the death of a sender, or failed
"""
