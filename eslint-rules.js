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

const returnReply = {
  meta: { type: 'problem', schema: [], messages: { unreturned: 'Return the reply that was sent, or the request goes on to the handler.' } },
  create: (context) => ({
    ExpressionStatement (node) {
      const expression = node.expression.type === 'AwaitExpression' ? node.expression.argument : node.expression
      if (sendsReply(expression)) context.report({ node, messageId: 'unreturned' })
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
