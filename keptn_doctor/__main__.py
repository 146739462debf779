"""``python -m keptn_doctor``."""

from keptn_doctor.cli import main

main()
