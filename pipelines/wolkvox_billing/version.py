"""The version: the wheel's, and what the vendor reads in the User-Agent."""

__version__ = "1.0.0"
