"""`python -m wolkvox_billing` is the same as `wolkvox-billing`."""

from wolkvox_billing.cli import main

if __name__ == "__main__":
    main(prog_name="wolkvox-billing")
