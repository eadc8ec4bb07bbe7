import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CLIENT, registration } from './common.js'

const run = promisify(execFile)
const FORM = 'application/x-www-form-urlencoded'

/** What wrk asks, by the kind of work. `start` of exchanges: how many there were before. */
const SCRIPTS = {
  exchange: ({ folder, start }) => `
local forms = {}
for line in io.lines(${JSON.stringify(join(folder, 'exchanges'))}) do forms[#forms + 1] = line end
local position = ${start}
wrk.method = "POST"
wrk.headers["content-type"] = "${FORM}"
request = function ()
  position = position + 1
  return wrk.format(nil, nil, nil, forms[position] or "")
end`,

  // Each answer holds the token of the next question.
  refresh: ({ tokens, resource }) => `
local tokens = ${`{${tokens.map((token) => JSON.stringify(token)).join(',')}}`}
wrk.method = "POST"
wrk.headers["content-type"] = "${FORM}"
request = function ()
  local token = table.remove(tokens) or ""
  return wrk.format(nil, nil, nil, "grant_type=refresh_token&client_id=${CLIENT}&resource=${encodeURIComponent(resource)}&refresh_token=" .. token)
end
response = function (status, headers, body)
  tokens[#tokens + 1] = string.match(body, '"refresh_token"%s*:%s*"([^"]+)"')
end
done = function () for _, token in ipairs(tokens) do io.write("token " .. token .. "\\n") end end`,

  register: () => `
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = ${JSON.stringify(registration)}`,

  read: () => ''
}

/** Asks for so many seconds; answers requests per second, how many there were, and how many were refused. */
export async function measure ({ url, work, input, seconds, connections, pin }) {
  const script = join(input.folder, 'request.lua')
  writeFileSync(script, SCRIPTS[work](input))
  const [program, ...args] = [...pin, 'wrk', '-t', '1', '-c', String(connections), '-d', `${seconds}s`, '-s', script, url]
  const { stdout } = await run(program, args, { maxBuffer: 100_000_000 })
  return {
    rate: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)[1]),
    count: Number(/(\d+) requests in/.exec(stdout)[1]),
    refused: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0)
  }
}
