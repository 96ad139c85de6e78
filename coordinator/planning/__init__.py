"""From a submission to a plan: which steps, in which environments, with which models and devices."""
