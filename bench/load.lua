-- What wrk sends: the requests of a file in turn, each thread from a place of its own.
--
--     wrk ... -s load.lua URL -- FILE SEED [HEADER: VALUE]...
--
-- A line of the file is a method, a path and perhaps a body, separated by tabs; "{n}" in a body becomes a number that no
-- other request has. The last line printed is the result as JSON.

local threads = 0
local calls, many, at, count, base = {}, 0, 0, 0, 0

function setup(thread)
    threads = threads + 1
    thread:set("thread_number", threads)
end

local function read_calls(file)
    for line in io.lines(file) do
        local method, path, body = line:match("^(%u+)\t([^\t]+)\t?(.*)$")
        local call = {method = method, path = path}
        if body == "" then
            call.ready = wrk.format(method, path)
        elseif not body:find("{n}", 1, true) then
            call.ready = wrk.format(method, path, nil, body)
        else
            call.before, call.after = body:match("^(.-){n}(.*)$")
        end
        calls[#calls + 1] = call
    end
    many = #calls
end

function init(arguments)
    local seed = tonumber(arguments[2])
    for i = 3, #arguments do
        local name, value = arguments[i]:match("^([^:]+): *(.*)$")
        wrk.headers[name] = value
    end
    read_calls(arguments[1])
    -- Numbers of one length, different in each run and thread.
    base = (seed % 1000 * 100 + thread_number) * 10000000 + 1000000000000
    math.randomseed(seed + thread_number)
    at = math.random(many)
end

function request()
    at = at % many + 1
    count = count + 1
    local call = calls[at]
    if call.ready then
        return call.ready
    end
    return wrk.format(call.method, call.path, nil, string.format("%s%.0f%s", call.before, base + count, call.after))
end

function done(summary, latency)
    local e = summary.errors
    io.write(string.format(
        '\n{"requests": %d, "micros": %d, "bytes": %d, "refused": %d, "broken": "%d connect, %d read, %d write, %d timeout", "p50": %d, "p99": %d, "max": %d}\n',
        summary.requests, summary.duration, summary.bytes, e.status, e.connect, e.read, e.write, e.timeout,
        latency:percentile(50), latency:percentile(99), latency.max))
end
