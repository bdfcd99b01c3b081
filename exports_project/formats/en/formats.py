"""Formats of dates and times that Django prints, as `presentation.exact_time` prints them."""

DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = "Y-m-d H:i:s T"
