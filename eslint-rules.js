const ANSWERS = new Set(['send', 'redirect', 'callNotFound'])

/** Walks `reply.code(400).send(x)` down to `reply`; answers whether a call on the way sends. */
function sendsReply (expression) {
  let node = expression
  let sends = false
  while (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    if (node.callee.property.type === 'Identifier' && ANSWERS.has(node.callee.property.name)) sends = true
    node = node.callee.object
  }
  return sends && node.type === 'Identifier' && node.name === 'reply'
}

const isFunction = ({ type }) => type.endsWith('FunctionExpression') || type === 'FunctionDeclaration'

/** Whether the code is in a hook that takes `done`: it goes on when that is called, or a promise returned resolves. */
function isCallbackHook (node) {
  let inner = node
  while (inner !== null && !isFunction(inner)) inner = inner.parent
  return inner?.params.some(({ name }) => name === 'done') === true
}

const isDone = (node) => node.type === 'CallExpression' && node.callee.name === 'done'

const returnReply = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      unreturned: 'Return the reply that was sent, or the request goes on to the handler.',
      returned: 'Return nothing: Fastify waits for a reply that is returned, and goes on when the client leaves before.',
      async: 'Take `done`: Fastify goes on after an async hook when the client leaves before the answer is out.'
    }
  },
  create: (context) => ({
    ExpressionStatement (node) {
      const expression = node.expression.type === 'AwaitExpression' ? node.expression.argument : node.expression
      if (sendsReply(expression) && !isCallbackHook(node)) context.report({ node, messageId: 'unreturned' })
    },
    ReturnStatement (node) {
      if (node.argument !== null && !isDone(node.argument) && isCallbackHook(node)) {
        context.report({ node, messageId: 'returned' })
      }
    },
    "CallExpression[callee.property.name='addHook'][arguments.0.value=/^(onRequest|pre.*)$/][arguments.1.async=true]" (node) {
      context.report({ node, messageId: 'async' })
    }
  })
}

const noClock = {
  meta: { type: 'problem', schema: [], messages: { clock: 'Take a clock, or `now`, as an argument.' } },
  create: (context) => ({
    "CallExpression[callee.object.name='Date'][callee.property.name='now']" (node) {
      context.report({ node, messageId: 'clock' })
    },
    "NewExpression[callee.name='Date'][arguments.length=0]" (node) {
      context.report({ node, messageId: 'clock' })
    },
    "CallExpression[callee.object.name='performance'][callee.property.name='now']" (node) {
      context.report({ node, messageId: 'clock' })
    },
    "CallExpression[callee.object.name='process'][callee.property.name='hrtime']" (node) {
      context.report({ node, messageId: 'clock' })
    }
  })
}

/** Two habits of this house that no published rule holds. */
export const local = { rules: { 'return-reply': returnReply, 'no-clock': noClock } }
