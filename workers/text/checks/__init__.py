"""The checks behind every translator: what is doubtful about a translation, and what a rule can mend."""
