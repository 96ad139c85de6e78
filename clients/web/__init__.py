"""The pages that a browser shows: plain files, without a build step."""
