"""Second factor of the staff: codes of an authenticator app (TOTP, RFC 6238) and recovery codes.

The secret is stored encrypted, and the recovery codes as hashes.
`longshore.accounts.admin.sign_in` asks for the codes.
"""

from base64 import b32encode
from enum import Enum, auto
from hashlib import sha256
from secrets import token_bytes
from textwrap import wrap

import pyotp
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from longshore.accounts.models import SecondFactor
from longshore.accounts.sealing import Unreadable, seal, unseal

ISSUER = "Longshore"
RECOVERY_CODES = 10
# Accepted before and after the current time step of 30 seconds: RFC 6238 recommends at most one.
_TOLERANCE = 1


class Result(Enum):
    """The result of a code: from the app, a recovery code, or wrong.

    LAST_WRONG: a wrong one that begins a lock. LOCKED: refused unread, because of a lock.
    """

    ACCEPTED = auto()
    RECOVERED = auto()
    WRONG = auto()
    LAST_WRONG = auto()
    LOCKED = auto()


def new_secret() -> str:
    """Return a random secret in base32."""
    return pyotp.random_base32()


def setup_url(secret: str, account: str) -> str:
    """Return the `otpauth:` URL that an authenticator app reads from a QR code.

    account: name under which the app lists the secret.
    """
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)


def is_on(user: AbstractBaseUser) -> bool:
    """Return whether a person has a second factor."""
    return SecondFactor.objects.filter(user=user).exists()  # type: ignore[misc]


def turn_on(user: AbstractBaseUser, secret: str, code: str) -> list[str] | None:
    """Store a secret that the user's app knows. Return the recovery codes, shown this time only.

    code: the first code of the app.
    Returns None if the code is wrong, or if the user already has a second factor.
    """
    step = _step_of(secret, _normalized(code), after=0)
    if step is None:
        return None
    codes = [_new_recovery_code() for _ in range(RECOVERY_CODES)]
    hashes = [_hash(_normalized(each)) for each in codes]
    values = {"secret": seal(secret), "last_step": step, "recovery_codes": hashes}
    _, created = SecondFactor.objects.get_or_create(user=user, defaults=values)  # type: ignore[misc]
    return codes if created else None


@transaction.atomic
def accept(user: AbstractBaseUser, code: str) -> Result:
    """Accept a code or a recovery code of a user once.

    After as many wrong codes in a row as passwords (`AXES_FAILURE_LIMIT`), all codes are refused
    for `AXES_COOLOFF_TIME`. Unlike a lock of passwords it applies to all addresses: only a person
    who knows the password can cause it, and a code of six digits must not be guessed from many.
    Raises SecondFactor.DoesNotExist.
    """
    # The row lock makes simultaneous requests with the same code, or many guesses, wait.
    factor = SecondFactor.objects.select_for_update().get(user=user)  # type: ignore[misc]
    now = timezone.now()
    if factor.wrong_at and factor.wrong_at <= now - settings.AXES_COOLOFF_TIME:
        factor.wrong_codes = 0
    if factor.wrong_codes >= settings.AXES_FAILURE_LIMIT:
        return Result.LOCKED
    result = _use(factor, _normalized(code))
    if result is Result.WRONG:
        factor.wrong_codes += 1
        factor.wrong_at = now
    else:
        factor.wrong_codes, factor.wrong_at = 0, None
    factor.save()
    return Result.LAST_WRONG if factor.wrong_codes >= settings.AXES_FAILURE_LIMIT else result


def _use(factor: SecondFactor, code: str) -> Result:
    """Use up a code of the app, or a recovery code, without saving."""
    try:
        secret = unseal(factor.secret)
    except Unreadable:
        secret = ""  # SECRET_KEY has changed. Recovery codes are still valid.
    step = _step_of(secret, code, after=factor.last_step) if secret else None
    if step is not None:
        factor.last_step = step
        # Encrypt with the current SECRET_KEY, so that an earlier one can be removed.
        factor.secret = seal(secret)
        return Result.ACCEPTED
    if (hashed := _hash(code)) in factor.recovery_codes:
        factor.recovery_codes.remove(hashed)
        return Result.RECOVERED
    return Result.WRONG


def _step_of(secret: str, code: str, after: int) -> int | None:
    """Return the time step of a code, if it is near the current one and later than `after`."""
    totp = pyotp.TOTP(secret)
    current = totp.timecode(timezone.now())
    for step in range(max(current - _TOLERANCE, after + 1), current + _TOLERANCE + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), code):
            return step
    return None


def _new_recovery_code() -> str:
    """Return a random code of 80 bits, such as `k3fz-7q2m-…`: a hash without salt protects it."""
    return "-".join(wrap(b32encode(token_bytes(10)).decode().lower(), 4))


def _normalized(code: str) -> str:
    """Remove the spaces and hyphens with which apps and people group a code."""
    return code.replace(" ", "").replace("-", "").lower()


def _hash(code: str) -> str:
    return sha256(code.encode()).hexdigest()
