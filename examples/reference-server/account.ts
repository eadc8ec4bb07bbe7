import { runAccountCommand } from 'fastify-mcp-security/account-command'
import { openData } from './data.js'
import { readConfigurationFile } from './settings.js'

/** `--config FILE` as for the server, which matters only where the file names a tenant; the rest is the command's. */
function splitArguments (args: readonly string[]): { file: string | undefined, rest: string[] } {
  const at = args.indexOf('--config')
  return at === -1
    ? { file: undefined, rest: [...args] }
    : { file: args[at + 1] ?? '', rest: [...args.slice(0, at), ...args.slice(at + 2)] }
}

const { file, rest } = splitArguments(process.argv.slice(2))

process.exitCode = await runAccountCommand(rest, process, async () => {
  const { tenant = 'default' } = file === undefined ? {} : readConfigurationFile(file, process.env)
  const { store, close } = await openData(process.env.DATA_DIR ?? './data')
  return { records: store, tenant, close }
})
