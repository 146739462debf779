"""The union of all facts: what an observation can hold beside a failure."""

from __future__ import annotations

from keptn_doctor.model.keptn_facts import KeptnFact
from keptn_doctor.model.kube_facts import KubeFact
from keptn_doctor.model.path_facts import PathFact

Fact = KubeFact | PathFact | KeptnFact
