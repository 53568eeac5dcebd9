# A bare host's part in a sweep: every Run of it has a directory, so there is nothing to be listed besides.

listed_jobs() { say listed 0; }
