import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedDatabase } from '../../../src/ledger/projection/embedded-database';
import { EmbeddedFolder } from '../../../src/ledger/projection/embedded-folder';

describe('the folder of the embedded Postgres', () => {
  let dir: string;
  const kept = () => join(dir, 'data', 'kept');
  const fill = () => {
    mkdirSync(join(dir, 'data', 'deeper'), { recursive: true });
    writeFileSync(kept(), 'something');
  };

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ledger-folder-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  test('keeps what was closed cleanly', async () => {
    const folder = await EmbeddedFolder.open(dir);
    fill();
    expect(await EmbeddedFolder.isClean(dir)).toBe(false);
    await folder.closeCleanly();
    expect(await EmbeddedFolder.isClean(dir)).toBe(true);
    await (await EmbeddedFolder.open(dir)).closeCleanly();
    expect(readFileSync(kept(), 'utf8')).toBe('something');
  });

  test('starts with nothing where it was not, also when it was left while being opened', async () => {
    const folder = await EmbeddedFolder.open(dir);
    fill();
    await folder.leaveDirty();
    const again = await EmbeddedFolder.open(dir);
    expect(existsSync(kept())).toBe(false);
    fill();
    await again.closeCleanly();
    await (await EmbeddedFolder.open(dir)).leaveDirty();
    await (await EmbeddedFolder.open(dir)).leaveDirty();
    expect(existsSync(kept())).toBe(false);
  });

  test('a mark of another layout counts for nothing', async () => {
    fill();
    writeFileSync(join(dir, 'clean'), 'closed cleanly, layout 0\n');
    await (await EmbeddedFolder.open(dir)).leaveDirty();
    expect(existsSync(kept())).toBe(false);
  });

  test('belongs to one living process at a time', async () => {
    const holder = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)']);
    try {
      await once(holder, 'spawn');
      writeFileSync(join(dir, 'lock'), `${holder.pid} \n`);
      await expect(EmbeddedFolder.open(dir)).rejects.toThrow(`is in use by process ${holder.pid}`);
    } finally {
      holder.kill('SIGKILL');
      await once(holder, 'close');
    }
    await (await EmbeddedFolder.open(dir)).leaveDirty();
  });

  test('a lock whose process is another one by now, or of which nothing was written, is stale', async () => {
    const [stale, never] = [`${process.ppid} 1\n`, ''];
    for (const text of process.platform === 'linux' ? [stale, never] : [never]) {
      writeFileSync(join(dir, 'lock'), text);
      await (await EmbeddedFolder.open(dir)).leaveDirty();
    }
    expect(existsSync(join(dir, 'lock'))).toBe(false);
  });

  test('holds a database that is there again after a clean close, and gone after any other', async () => {
    const first = await EmbeddedDatabase.open(dir);
    await first.script('CREATE SCHEMA ledger; CREATE UNLOGGED TABLE ledger.kept AS SELECT 42 AS n');
    await first.close();
    const second = await EmbeddedDatabase.open(dir);
    expect((await second.query('SELECT n FROM ledger.kept')).rows).toEqual([{ n: '42' }]);
    await second.close();
    rmSync(join(dir, 'clean'));
    const third = await EmbeddedDatabase.open(dir);
    expect((await third.query(`SELECT to_regclass('ledger.kept')::text AS kept`)).rows).toEqual([{ kept: null }]);
    await third.close();
  }, 60_000);
});
