/**
 * ESLint rules of this repository's own. `max-lines-per-function` cannot tell a test from the `describe` around it, which
 * is a chapter rather than a function: this one counts every function in a test file but those.
 */

/**
 * @typedef {import('eslint').Rule.Node} RuleNode
 * @typedef {import('estree').Node} Node
 */

/**
 * @param {Node} callee
 * @returns {string | undefined} the name at the root of `describe(…)` and of `describe.each(…)(…)`
 */
function rootName(callee) {
  let node = callee;
  for (;;) {
    if (node.type === 'Identifier') return node.name;
    if (node.type === 'MemberExpression') node = node.object;
    else if (node.type === 'CallExpression') node = node.callee;
    else if (node.type === 'TaggedTemplateExpression') node = node.tag;
    else return undefined;
  }
}

/** @param {RuleNode} node */
function groupsTests(node) {
  /** @type {Node | null} */
  const parent = node.parent;
  return parent?.type === 'CallExpression' && parent.callee !== node && rootName(parent.callee) === 'describe';
}

/** @type {import('eslint').Rule.RuleModule} */
const maxLinesPerTestFunction = {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'object', properties: { max: { type: 'integer' } }, additionalProperties: false }],
    messages: { long: 'This function has {{lines}} lines; at most {{max}} are allowed. Split what it does.' },
  },
  create(context) {
    const { max } = context.options[0];
    /** @param {RuleNode} node */
    function check(node) {
      if (!node.loc) return;
      const lines = node.loc.end.line - node.loc.start.line + 1;
      if (lines > max && !groupsTests(node)) {
        context.report({ node, messageId: 'long', data: { lines, max } });
      }
    }
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

export const houseRules = { rules: { 'max-lines-per-test-function': maxLinesPerTestFunction } };
