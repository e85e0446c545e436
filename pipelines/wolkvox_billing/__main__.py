"""`python -m wolkvox_billing` is the same as `wolkvox-billing`."""

from wolkvox_billing.cli.main import run

if __name__ == "__main__":
    run()
