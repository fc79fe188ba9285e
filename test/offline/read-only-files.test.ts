import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NodeFiles } from '../../src/log/node-files';
import type { FileSystem } from '../../src/log/files';
import { ReadOnlyFiles } from '../../src/offline/read-only-files';

describe('ReadOnlyFiles', () => {
  let folder: string;
  const files: FileSystem = new ReadOnlyFiles(new NodeFiles());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ledger-read-only-'));
    writeFileSync(join(folder, 'kept'), 'as it was');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test('reads what is there', async () => {
    const file = await files.open(join(folder, 'kept'), 'read');
    const bytes = Buffer.alloc(20);
    expect(bytes.toString('utf8', 0, await file.read(bytes, 3))).toBe('it was');
    expect(await file.size()).toBe(9);
    await file.close();
    expect(await files.list(folder)).toEqual(['kept']);
    await files.makeDirectory(folder);
  });

  test('refuses every change, and none is made', async () => {
    const path = join(folder, 'kept');
    const file = await files.open(path, 'read');
    const changes: (() => Promise<unknown>)[] = [
      () => files.open(path, 'update'),
      () => files.open(join(folder, 'new'), 'create'),
      () => files.makeDirectory(join(folder, 'new')),
      () => files.rename(path, join(folder, 'new')),
      () => files.unlink(path),
      () => files.syncDirectory(folder),
      () => file.write([Buffer.of(0)], 0),
      () => file.truncate(0),
      () => file.datasync(),
      () => file.sync(),
    ];
    for (const change of changes) await expect(change()).rejects.toMatchObject({ code: 'EROFS' });
    await file.close();
    expect([readdirSync(folder), readFileSync(path, 'utf8')]).toEqual([['kept'], 'as it was']);
  });
});
