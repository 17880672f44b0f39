-- SPDX-License-Identifier: MIT
-- wrk -s load.lua URL -- FILE: sends the requests of FILE (a Lua table of strings, made once, whole
-- as they go over the wire) in turn, and prints one line for the runner.
local requests
local next_one = 0

function init(arguments)
    requests = dofile(arguments[1])
    next_one = math.random(#requests)
end

function request()
    next_one = next_one % #requests + 1
    return requests[next_one]
end

function done(summary, latency)
    local errors = summary.errors
    io.write(string.format("result %d %d %.0f %.0f %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99), errors.status,
        errors.connect + errors.read + errors.write + errors.timeout))
end
