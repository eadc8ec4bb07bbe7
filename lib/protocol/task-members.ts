/** Where the revisions of MCP put the ids of tasks besides `taskId`, in `_meta`. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task'
export const RELATED_TASKS = 'io.modelcontextprotocol/relatedTaskIds'

/** Whether a method is about one task, or the list of them: of the client's tasks when a server sends it. */
export const isTaskMethod = (method: unknown): boolean => typeof method === 'string' && method.startsWith('tasks/')
