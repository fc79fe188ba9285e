/** The pieces that the descriptions of calls are made of. */

export const UUID = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11';
const TOKEN = 'opaque-token-of-an-earlier-answer';
export const POSITION = { offset: 41, token: TOKEN };

export function content(schema: string, example?: object): object {
  return { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, ...(example && { example }) } };
}

export function json(schema: string, description: string, example?: object): object {
  return { description, content: content(schema, example) };
}

export function error(code: string, message: string): object {
  return { message, code };
}

export function noAccount(): object {
  return json('Error', 'No such account.', error('account_not_found', 'There is no account "Alice".'));
}

export function unavailable(): object {
  const response = { $ref: '#/components/responses/Error' };
  return { 403: response, 429: response, 503: response, 504: response };
}

export function path(name: string, description: string, example: string): object {
  return { name, in: 'path', required: true, description, schema: { type: 'string' }, example };
}

export function query(name: string, description: string, schema: object, example?: unknown): object {
  return { name, in: 'query', required: false, description, schema, ...(example === undefined ? {} : { example }) };
}

export function consistency(): object[] {
  const levels = { type: 'string', enum: ['linearizable', 'at_least', 'stale'], default: 'linearizable' };
  return [
    query('consistency', 'How new the answer must be.', levels, 'linearizable'),
    query('token', 'For at_least: the token of an earlier answer.', { type: 'string' }),
    query(
      'max_staleness_ms',
      'For stale: refuse when the leader was heard of longer ago; 0: no bound.',
      { type: 'integer' },
      0,
    ),
  ];
}
