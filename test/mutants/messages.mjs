// Tells Stryker what is only said: the texts of errors and warnings, and prose wherever it stands. No test holds words.

/** Which argument is the message. */
const MESSAGE_AT = {
  AttemptError: [1], Error: [0], TypeError: [0], RangeError: [0], warn: [1], invalid: [0], callSafely: [0], expect: [1, 2], expectMs: [0], thrownBy: [0],
};

const isProse = (text) => /[A-Za-z,:;.)] |^ [A-Za-z(]/.test(text);

function shouldIgnore(path) {
  const { node, parent, key, listKey } = path;
  const called = parent?.type === 'NewExpression' || parent?.type === 'CallExpression' ? parent.callee.name : undefined;
  if (listKey === 'arguments' && called !== undefined && MESSAGE_AT[called]?.includes(key)) return 'the text of a message';
  if (node.type === 'StringLiteral' && isProse(node.value)) return 'prose';
  if (node.type === 'TemplateLiteral' && node.quasis.some(({ value }) => isProse(value.raw))) return 'prose';
  return undefined;
}

export const strykerPlugins = [{ kind: 'Ignore', name: 'messages', value: { shouldIgnore } }];
