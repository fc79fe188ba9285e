import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OPTIONS, environmentName } from '../../../src/node/config/option-table';
import { mergeSources } from '../../../src/node/config/sources';
import { OptionError } from '../../../src/node/config/units';

const notBuilt = OPTIONS.filter((option) => option.notBuilt !== undefined);

describe('the sources of configuration', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-sources-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const file = (text: string): string => {
    const path = join(folder, 'node.yaml');
    writeFileSync(path, text);
    return path;
  };

  test('a flag wins over the environment, the environment over the file, the file over the default', () => {
    const environment = { LEDGER_NODE_HTTP_ADDR: '127.0.0.1:2', LEDGER_NODE_RPC_ADDR: '127.0.0.1:2' };
    const path = file('http-addr: 127.0.0.1:3\nrpc-addr: 127.0.0.1:3\nbind-addr: 127.0.0.1:3\n');
    const merged = mergeSources({ 'http-addr': '127.0.0.1:1' }, environment, path);
    expect(merged).toMatchObject({
      'http-addr': '127.0.0.1:1',
      'rpc-addr': '127.0.0.1:2',
      'bind-addr': '127.0.0.1:3',
      'log-level': 'info',
    });
  });

  test('each option has a variable and a key, with the meaning of its flag', () => {
    for (const option of OPTIONS.filter((one) => one.notBuilt === undefined)) {
      const isSwitch = option.kind === 'switch';
      const expected = isSwitch ? true : 'some text';
      const variable = environmentName(option.name);
      expect(mergeSources({}, { [variable]: isSwitch ? 'true' : 'some text' }, undefined)[option.name]).toBe(expected);
      expect(mergeSources({}, {}, file(`${option.name}: ${String(expected)}\n`))[option.name]).toBe(expected);
    }
  });

  test('only the defaults where nothing is said; an empty variable says nothing, an empty file either', () => {
    const defaults = mergeSources({}, {}, undefined);
    expect(defaults).toEqual(
      Object.fromEntries(OPTIONS.flatMap(({ name, default: given }) => (given === undefined ? [] : [[name, given]]))),
    );
    expect(mergeSources({}, { LEDGER_NODE_NODE_NAME: '', PATH: '/bin' }, undefined)).toEqual(defaults);
    for (const text of ['', '# nothing\n', '---\n', 'null\n']) {
      expect(mergeSources({}, {}, file(text))).toEqual(defaults);
    }
  });

  test.each([
    ['1', true],
    ['TRUE', true],
    ['yes', true],
    ['on', true],
    ['0', false],
    ['false', false],
    ['No', false],
    ['off', false],
  ])('a switch in the environment: %s is %s', (text, expected) => {
    expect(mergeSources({}, { LEDGER_NODE_INSECURE: text }, undefined)['insecure']).toBe(expected);
  });

  test('a switch in the environment that is neither is refused by its name', () => {
    expect(() => mergeSources({}, { LEDGER_NODE_DEV: 'maybe' }, undefined)).toThrow(
      new OptionError('LEDGER_NODE_DEV: "maybe" is neither true nor false'),
    );
  });

  test.each(notBuilt.map((option) => option.name))('--%s is not built: refused from every source', (name) => {
    const why = OPTIONS.find((option) => option.name === name)?.notBuilt as string;
    expect(() => mergeSources({ [name]: 'x' }, {}, undefined)).toThrow(new OptionError(`--${name}: ${why}`));
    const variable = environmentName(name);
    expect(() => mergeSources({}, { [variable]: 'x' }, undefined)).toThrow(new OptionError(`${variable}: ${why}`));
    const path = file(`${name}: x\n`);
    expect(() => mergeSources({}, {}, path)).toThrow(new OptionError(`${path}: ${name}: ${why}`));
  });

  test('TLS, ACL, age of the log and removal of members are among those', () => {
    expect(notBuilt.map((option) => option.name)).toEqual(
      expect.arrayContaining([
        'server-tls-cert-file',
        'peer-tls-key-file',
        'acl-model-file',
        'acl-policy-file',
        'remove-failed-after',
      ]),
    );
  });

  test('what is unknown is refused where it stands', () => {
    expect(() => mergeSources({ nope: 'x' }, {}, undefined)).toThrow('--nope: unknown option');
    expect(() => mergeSources({}, { LEDGER_NODE_NOPE: 'x' }, undefined)).toThrow('LEDGER_NODE_NOPE: unknown option');
    const path = file('nope: x\n');
    expect(() => mergeSources({}, {}, path)).toThrow(`${path}: nope: unknown option`);
    expect(() => mergeSources({}, {}, file('__proto__: x\n'))).toThrow(OptionError);
  });

  test('keys of the file may be written with underscores, lists instead of commas, off without quotes', () => {
    const merged = mergeSources(
      {},
      {},
      file(
        'node_name: n1\nstart-join-addrs: [a:1, b:2]\nhttp-addr: off\ndatabase-url: false\nsegment-bytes: 1048576\n',
      ),
    );
    expect(merged).toMatchObject({
      'node-name': 'n1',
      'start-join-addrs': 'a:1,b:2',
      'http-addr': 'off',
      'database-url': 'off',
      'segment-bytes': '1048576',
    });
  });

  test.each([
    ['bootstrap: 1\n', 'bootstrap: expected true or false'],
    ['bootstrap: "yes"\n', 'bootstrap: expected true or false'],
    ['node-name: {a: 1}\n', 'node-name: expected a text or a number'],
    ['node-name: true\n', 'node-name: expected a text or a number'],
    ['start-join-addrs: [1, 2]\n', 'start-join-addrs: expected a text or a number'],
    ['- a\n- b\n', 'expected keys with values'],
    ['just text\n', 'expected keys with values'],
    ['a: [\n', 'cannot be read'],
    ['node-name: a\nnode-name: b\n', 'cannot be read'],
    [`# ${'x'.repeat(1 << 20)}\n`, 'larger than 1 MiB'],
  ])('the file %j is refused', (text, why) => {
    const path = file(text);
    expect(() => mergeSources({}, {}, path)).toThrow(why);
    expect(() => mergeSources({}, {}, path)).toThrow(OptionError);
  });

  test('a file that is not there is refused', () => {
    expect(() => mergeSources({}, {}, join(folder, 'missing.yaml'))).toThrow('cannot be read');
  });
});
