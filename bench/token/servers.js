// One server a process: `node bench/token/servers.js NAME COUNT FOLDER` says on standard output, as one line of JSON,
// where it listens; for each line on standard input the processor time that it has used so far, in microseconds; and
// ends with that.
import process from 'node:process'
import { createInterface } from 'node:readline'

const SERVERS = { ...await import('./apps.js'), ...await import('./peers.js') }
const say = (message) => { process.stdout.write(`${JSON.stringify(message)}\n`) }

const [name, count, folder] = process.argv.slice(2)
say(await SERVERS[name]({ count: Number(count), folder }))

const lines = createInterface(process.stdin)
lines.on('line', () => {
  const { user, system } = process.cpuUsage()
  say({ processorTime: user + system })
})
lines.once('close', () => { process.exit(0) })
