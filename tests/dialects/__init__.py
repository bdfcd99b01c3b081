"""Tests of the APIs of other vendors."""
