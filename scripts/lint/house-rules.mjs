/**
 * ESLint rules of this repository's own. `max-lines-per-function` cannot tell a test from the `describe` around it, which
 * is a chapter rather than a function: this one counts every function in a test file but those.
 */

const GROUPING_CALLS = new Set(['describe']);

/** The name at the root of `describe(…)`, `describe.only(…)` and `describe.each(…)(…)`. */
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

function groupsTests(node) {
  const parent = node.parent;
  return (
    parent.type === 'CallExpression' && parent.arguments.includes(node) && GROUPING_CALLS.has(rootName(parent.callee))
  );
}

const maxLinesPerTestFunction = {
  meta: {
    type: 'suggestion',
    schema: [{ type: 'object', properties: { max: { type: 'integer' } }, additionalProperties: false }],
    messages: { long: 'This function has {{lines}} lines; at most {{max}} are allowed. Split what it does.' },
  },
  create(context) {
    const { max } = context.options[0];
    function check(node) {
      const lines = node.loc.end.line - node.loc.start.line + 1;
      if (lines > max && !groupsTests(node)) {
        context.report({ node, messageId: 'long', data: { lines, max } });
      }
    }
    return { FunctionDeclaration: check, FunctionExpression: check, ArrowFunctionExpression: check };
  },
};

export const houseRules = { rules: { 'max-lines-per-test-function': maxLinesPerTestFunction } };
