{{/*
The class and the size of the server's claim. One that is there keeps its class, and a size that its class cannot give
it: Kubernetes would refuse the whole upgrade. NOTES.txt says so.

The class is what the first install said, and not what the cluster made of it: a rollback brings back the manifest of that
install, and Kubernetes refuses one that takes a class away. An annotation remembers it.
*/}}
{{- define "airlock.claim" -}}
{{- $wanted := .Values.server.persistence -}}
{{- $class := $wanted.storageClass -}}
{{- $size := $wanted.size -}}
{{- with lookup "v1" "PersistentVolumeClaim" .Release.Namespace (printf "%s-server" (include "airlock.name" $)) -}}
{{- $live := .spec.storageClassName | default "" -}}
{{- $known := .metadata.annotations | default dict -}}
{{- $class = ternary (get $known "airlock.dev/storage-class") $live (hasKey $known "airlock.dev/storage-class") -}}
{{- $has := .spec.resources.requests.storage -}}
{{- if ne $has $size -}}
{{- $grows := gt (include "airlock.bytes" $size | float64) (include "airlock.bytes" $has | float64) -}}
{{- if not (and $grows (lookup "storage.k8s.io/v1" "StorageClass" "" $live).allowVolumeExpansion) -}}
{{- $size = $has -}}
{{- end -}}
{{- end -}}
{{- end -}}
storageClass: {{ $class | quote }}
size: {{ $size | quote }}
{{- end -}}

{{/* A quantity of bytes in KiB, as a number. */}}
{{- define "airlock.bytes" -}}
{{- $text := toString . -}}
{{- $units := dict "" 0.0009765625 "k" 0.9765625 "M" 976.5625 "G" 976562.5 "T" 976562500.0 "P" 976562500000.0 -}}
{{- $units = merge $units (dict "Ki" 1.0 "Mi" 1024.0 "Gi" 1048576.0 "Ti" 1073741824.0 "Pi" 1099511627776.0) -}}
{{- mulf (regexFind "^[0-9.]+(e[+][0-9]+)?" $text | float64) (get $units (regexFind "[A-Za-z]*$" $text)) -}}
{{- end -}}
