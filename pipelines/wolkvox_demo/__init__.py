"""What `make demo` lives through and tells: not in the wheel, which has no stand-in vendor."""
