"""What GitOps tools make of objects, asked of these tools' own libraries: Flux's kstatus, Argo CD's Lua and its comparison.

The programs are in Go, as the tools are: their pinned module is in this folder, and they are built once into the cache.
"""

from bed.gitops.program import Applied as Applied
from bed.gitops.program import Comparison as Comparison
from bed.gitops.program import Drift as Drift
from bed.gitops.program import Verdict as Verdict
from bed.gitops.program import Words as Words
