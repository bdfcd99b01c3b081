"""Confirmation dialogs of the buttons above an admin page."""

from unfold.forms import BaseDialogForm


def confirmation(
    title: str, description: str, button: str, form: type[BaseDialogForm] = BaseDialogForm
) -> dict[str, object]:
    """Return the `dialog` argument of Unfold's `action` decorator.

    button: label of the button that confirms.
    form: its fields are shown in the dialog.
    """
    return {
        "title": title,
        "description": description,
        "form_class": form,
        "form_submit_text": button,
    }
