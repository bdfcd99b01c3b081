"""What the staff can do about the state of a subscription."""

from dataclasses import dataclass

from webhooks.admin.causes import cause_of
from webhooks.admin.states import State, state_of
from webhooks.models import Subscription


@dataclass(frozen=True)
class Advice:
    """text: sentences. is_problem: whether the target does not work."""

    text: str
    is_problem: bool = False


_TEXTS = {
    State.INACTIVE: "Enable it to send new events. Events that happened meanwhile are not sent.",
    State.UNVERIFIED: "The receiver must respond to webhook.challenge with its token. A test "
    "sends a new challenge.",
    State.FAILING: "Longshore retries by itself. A test tells you now whether the target works.",
    State.DISABLED: "Remove the cause, enable the webhook, then use Recover to send what failed.",
}


def advice_of(subscription: Subscription) -> Advice | None:
    """Return the advice for the state of a subscription; None if all is well."""
    state = state_of(subscription)
    if state is State.ACTIVE:
        return None
    error = subscription.last_error
    reason = f"{cause_of(error).advice} " if error and state is not State.INACTIVE else ""
    return Advice(f"{reason}{_TEXTS[state]}", state in (State.FAILING, State.DISABLED))
