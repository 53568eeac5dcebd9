# A bare host's part in a sweep: every Run of it has a directory, so there is nothing to be listed besides.
# Needs: nothing.
# Gives: listed_jobs (says what has our mark, and at the end `listed` with 0 if that was all).

listed_jobs() { say listed 0; }
