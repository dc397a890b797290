"""What a release needs: its list of public names, and the checks before its tag."""
