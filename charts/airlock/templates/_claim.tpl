{{/*
The class and the size of the server's claim. One that is there keeps its class, and a size that its class cannot give
it: Kubernetes would refuse the whole upgrade. NOTES.txt says so.
*/}}
{{- define "airlock.claim" -}}
{{- $wanted := .Values.server.persistence -}}
{{- $class := $wanted.storageClass -}}
{{- $size := $wanted.size -}}
{{- with (lookup "v1" "PersistentVolumeClaim" .Release.Namespace "airlock-server").spec -}}
{{- $class = .storageClassName | default "" -}}
{{- $has := .resources.requests.storage -}}
{{- if ne $has $size -}}
{{- $grows := gt (include "airlock.bytes" $size | float64) (include "airlock.bytes" $has | float64) -}}
{{- if not (and $grows (lookup "storage.k8s.io/v1" "StorageClass" "" $class).allowVolumeExpansion) -}}
{{- $size = $has -}}
{{- end -}}
{{- end -}}
{{- end -}}
storageClass: {{ $class | quote }}
size: {{ $size | quote }}
{{- end -}}

{{/* A quantity of Mi, Gi or Ti in MiB; of anything else 0. */}}
{{- define "airlock.bytes" -}}
{{- $number := regexFind "^[0-9]+" . | default "0" | float64 -}}
{{- mulf $number (get (dict "Mi" 1.0 "Gi" 1024.0 "Ti" 1048576.0) (regexFind "[A-Za-z]+$" .) | default 0.0) -}}
{{- end -}}
