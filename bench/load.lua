-- wrk's script: one request, again and again. What it needs comes by environment, so that no argument holds a token. A
-- large body comes in a file.
wrk.method = os.getenv("BENCH_METHOD")
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
local file = os.getenv("BENCH_BODY_FILE")
if file ~= nil then
  wrk.headers["Content-Type"] = "application/json"
  wrk.body = io.open(file, "rb"):read("*a")
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
