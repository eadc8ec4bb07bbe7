import { createRequestStateCodec, inputRequired, McpServer, type CallToolResult } from '@modelcontextprotocol/server'
import { randomBytes } from 'node:crypto'
import { z } from 'zod'

/** Tells the clients that listen. */
export interface Changes {
  toolsChanged (): void
  promptsChanged (): void
}

const text = (value: string): CallToolResult => ({ content: [{ type: 'text', text: value }] })

const confirmation = inputRequired.elicit({
  message: 'Go on?', requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } }
})

/** What a client hands back is opened by nobody else. It holds for as long as this process runs. */
const states = createRequestStateCodec({ key: randomBytes(32) })

/** The tools and the prompt that the scenarios of the conformance suite call, by the names that it gives them. */
export function buildConformanceServer (changes: Changes): McpServer {
  const server = new McpServer({ name: 'conformance-server', version: '0.1.0' }, { requestState: { verify: states.verify } })

  // The first tool of the list is called without arguments.
  server.registerTool('test_simple_text', { description: 'Says something' }, () => text('something'))

  server.registerTool('test_custom_header', {
    description: 'Repeats a region that stands in a header as well',
    inputSchema: z.object({ region: z.string().max(100).optional().meta({ 'x-mcp-header': 'Region' }) })
  }, ({ region }) => text(region ?? 'nowhere'))

  server.registerTool('test_missing_capability', { description: 'Needs the model of the client' }, () => inputRequired({
    inputRequests: {
      answer: inputRequired.createMessage({
        messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }], maxTokens: 10
      })
    }
  }))

  server.registerTool('test_streaming_elicitation', { description: 'Asks the user before it goes on' }, () =>
    inputRequired({ inputRequests: { confirmation } }))

  server.registerTool('test_logging_tool', { description: 'Writes a log line' }, async (context) => {
    await context.mcpReq.log('info', 'a log line')
    return text('logged')
  })

  server.registerTool('test_trigger_tool_change', { description: 'Says that the tools have changed' }, () => {
    changes.toolsChanged()
    return text('changed')
  })

  server.registerTool('test_trigger_prompt_change', { description: 'Says that the prompts have changed' }, () => {
    changes.promptsChanged()
    return text('changed')
  })

  server.registerTool('test_input_required_result_tampered_state', {
    description: 'Asks the user, and goes on only with the state that it gave out'
  }, async (context) => context.mcpReq.requestState() === undefined
    ? inputRequired({ inputRequests: { confirmation }, requestState: await states.mint({ step: 1 }) })
    : text('done'))

  server.registerPrompt('test_simple_prompt', { description: 'A prompt' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Hello' } }]
  }))

  return server
}
