{{/* What the names of the objects in namespaces begin with. Those of a cluster, and the keys, are always called airlock. */}}
{{- define "airlock.name" -}}
{{- .Values.fullnameOverride | default "airlock" -}}
{{- end -}}

{{/* An image's full name: registry, name, tag. */}}
{{- define "airlock.image" -}}
{{- $top := index . 0 -}}
{{- with $top.Values.image.registry }}{{ . }}/{{ end -}}
airlock/{{ index . 1 }}:{{ $top.Values.image.tag | default $top.Chart.AppVersion }}
{{- end -}}

{{/* Labels of everything the chart makes. */}}
{{- define "airlock.labels" -}}
app.kubernetes.io/name: airlock
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* A container that meets the restricted Pod Security level. */}}
{{- define "airlock.containerSecurity" -}}
runAsUser: 50002
runAsGroup: 50002
runAsNonRoot: true
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{/* The server, as pods of other namespaces reach it. */}}
{{- define "airlock.serverUrl" -}}
https://{{ include "airlock.name" $ }}-server.{{ .Release.Namespace }}.svc:8443
{{- end -}}

{{/* Where a pod of the chart may run, of the operator's or the server's values. */}}
{{/* Where a pod of the platform runs, and what is kept when a node is full: the chart's own class where none is named. */}}
{{- define "airlock.placement" -}}
{{- $top := index . 0 }}
{{- with index . 1 }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName | default (ternary "airlock" "" $top.Values.priorityClass.create) }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/* A container's variables: a list of them as YAML, and an administrator's by name, which take the place of the first's. */}}
{{- define "airlock.env" -}}
{{- $theirs := index . 1 -}}
{{- range index . 0 | fromYamlArray }}
{{- if not (hasKey $theirs .name) }}
- {{ toJson . }}
{{- end }}
{{- end }}
{{- range $name, $value := $theirs }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{/* Pull secrets of the chart's own pods. */}}
{{- define "airlock.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end -}}
