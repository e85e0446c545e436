"""The version: the wheel's, and what the vendor reads in the User-Agent."""

__version__ = "0.1.0"
