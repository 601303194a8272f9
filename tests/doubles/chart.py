"""Another value for each of the chart's, for tests of what an upgrade changes."""

from __future__ import annotations

from typing import Any

#: Another value for each of the chart's.
OTHERS: dict[str, Any] = {
    "fullnameOverride": "corp-airlock",
    "image.registry": "example.test/mirror", "image.tag": "v2", "image.pullPolicy": "Always", "image.pullSecrets": ["regcred"],
    "crd.install": False, "guards.install": False, "guards.tokenAudiences": ["vault"], "watch.namespaces": ["team-a"],
    "access.default": "all", "airflow.apiUrl": "https://airflow.example/execution", "airflow.caConfigMap": "authority",
    "airflow.executorAccounts": ["system:serviceaccount:a:b"], "airflow.deferrals": ["my.triggers.*"],
    "airflow.assetEvents": ["reports"],
    "bundles": [{"name": "sales", "classpath": "a.B", "image": "i"}],
    "metrics.enabled": False, "metrics.from": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
    "metrics.podMonitor.enabled": True, "metrics.podMonitor.labels": {"a": "b"}, "metrics.podMonitor.intervalSeconds": 60,
    "metrics.rules.enabled": True, "metrics.rules.labels": {"a": "b"},
    "metrics.dashboard.enabled": True, "metrics.dashboard.labels.grafana_dashboard": "yes",
    "traces.endpoint": "http://collector.monitoring:4318", "traces.ratio": 0.1, "traces.timeoutSeconds": 5,
    "traces.caConfigMap": "authority",
    "networkPolicy.enabled": False, "runner.scratchSizeLimit": "1Gi",
    "runner.resources.requests": {"memory": "64Mi"}, "runner.resources.limits": {"memory": "1Gi"},
    "runner.disruptionBudget.namespaces": ["team-a"],
    "runner.xcomStore.url": "s3://conn@bucket/xcoms",
    "runner.xcomStore.thresholdBytes": 1000,
    "runner.xcomStore.compression": "gzip",
    "operator.topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}],
    "logs.store": "s3://bucket/prefix", "logs.endpoint": "https://minio.example", "logs.region": "eu", "logs.credentialsSecret": "s",
    "logs.caKey": "ca.crt", "logs.chunkSeconds": 5, "logs.segmentMib": 4, "logs.localMib": 128, "logs.finalSeconds": 5,
    "proxy.http": "http://proxy.example:3128", "proxy.https": "http://proxy.example:3128", "proxy.none": "a.example",
    "sidecar.resources.cpu": "20m", "sidecar.resources.memory": "64Mi", "sidecar.resources.memoryLimit": "256Mi",
    "sidecar.resources.cpuLimit": "500m", "sidecar.pullSecrets": ["regcred"], "operator.replicas": 1,
    "certificate.renewalSchedule": "@daily", "priorityClass.create": False, "priorityClass.value": 2000,
    "operator.limits.maxActive": 100, "operator.limits.maxActivePerNamespace": 20,
    "operator.limits.maxActiveIn": {"sales": 50}, "operator.limits.podsPerSecond": 40,
    "server.persistence.enabled": False, "server.persistence.size": "2Gi", "server.persistence.storageClass": "fast",
    "server.persistence.existingClaim": "mine", "server.database.existingSecret": "postgresql", "server.replicas": 2,
} | {
    f"{part}.{name}": value
    for part in ("operator", "server")
    for name, value in {
        "resources.requests.cpu": "60m", "resources.requests.memory": "100Mi", "resources.limits.memory": "300Mi",
        "nodeSelector": {"a": "b"}, "tolerations": [{"key": "k", "operator": "Exists"}], "affinity": {"nodeAffinity": {}},
        "priorityClassName": "high", "podAnnotations": {"a": "b"}, "env": {"AIRLOCK__LOGGING__FORMAT": "json"},
    }.items()
}  # fmt: skip
#: Values that make objects of the Prometheus Operator, for which a cluster needs its CRDs.
FOREIGN = ["metrics.podMonitor.enabled", "metrics.rules.enabled"]
#: Values that take objects away, or contradict others, each by itself; all others at once.
ALONE = [
    "crd.install", "guards.install", "networkPolicy.enabled", "watch.namespaces", "server.persistence.enabled",
    "server.persistence.existingClaim", "server.persistence.size", "metrics.enabled",
]  # fmt: skip
#: Values that make other objects in the place of those that are there.
RENAMES = ["fullnameOverride"]
